// `npm run soak`: test/soak/soak.mjs on Windows Node; sets up what it needs.

import { buildNative } from './build-native.js';
import { buildTypeScript, installDependencies, isMain, isWindows } from './run.js';
import { NEWEST, runWindowsNode } from './windows-node.js';

/** @throws {Error} where something does not come back, or came back wrong. */
export async function soak(args) {
  const code = await runWindowsNode(NEWEST, ['--expose-gc', 'test/soak/soak.mjs', ...args], { seconds: 3600 });
  if (code !== 0) throw new Error('The soak test failed.');
}

/** As long as a test may take. */
export function soakBriefly() {
  return soak(['--connections', '2000']);
}

if (isMain(import.meta.url)) {
  await installDependencies();
  await buildTypeScript();
  // Only Wine needs the recorder.
  if (!isWindows) await buildNative({ check: true });
  await soak(process.argv.slice(2));
}
