// `npm run soak`: test/soak/soak.mjs on Windows Node; sets up what it needs.

import { buildEverything } from './build-native.js';
import { isMain } from './run.js';
import { NEWEST, runWindowsNode } from './windows-node.js';

/** With as few connections as a test may take by default. @throws {Error} where something comes back wrong. */
export async function soak(args = ['--connections', '2000']) {
  const code = await runWindowsNode(NEWEST, ['--expose-gc', 'test/soak/soak.mjs', ...args], { seconds: 3600 });
  if (code !== 0) throw new Error('The soak test failed.');
}

if (isMain(import.meta.url)) {
  await buildEverything();
  await soak(process.argv.slice(2));
}
