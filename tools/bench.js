// `npm run bench:arming`, `npm run bench:register`, `npm run bench:start`: a script of
// bench/ on Windows Node, `start` on this system's Node too; sets up what it needs.
//
//   --before REVISION   with `start`: measures an older package beside this one

import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { buildEverything } from './build-native.js';
import { isWindows, root, run } from './run.js';
import { NEWEST, runWindowsNode } from './windows-node.js';

/** The package as it was, compiled as it was then, in build/before. */
async function buildBefore(revision) {
  const folder = join(root, 'build/before');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const parts = ['src', 'prebuilds', 'package.json', 'tsconfig.json'];
  await run('git', ['archive', '--output', 'build/before.tar', revision, ...parts]);
  await run('tar', ['-xf', '../before.tar'], { cwd: folder });
  await run(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', '.'], { cwd: folder });
}

const [name, ...given] = process.argv.slice(2);
const args = given.filter((arg, index) => arg !== '--before' && given[index - 1] !== '--before');
await buildEverything();
if (given.includes('--before')) await buildBefore(given[given.indexOf('--before') + 1]);
if (name === 'start' && !isWindows) await run(process.execPath, [`bench/${name}.js`, ...args]);
process.exitCode = await runWindowsNode(NEWEST, [`bench/${name}.js`, ...args], { seconds: 1200 });
