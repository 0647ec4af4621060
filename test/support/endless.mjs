// A step of each kind that `npm test` has, none of which ends by itself: a program in
// Debian under Wine, and vitest with the tests of the folder that it is started in.

import { run, runPackage } from '../../tools/run.js';
import { NEWEST, runWindowsNode } from '../../tools/windows-node.js';

await Promise.all([
  runWindowsNode(NEWEST, ['--eval', 'setInterval(() => {}, 1e6)'], { seconds: 1e6 }),
  runPackage('vitest/vitest.mjs', ['run', '--globals', '--root', process.cwd()]),
  run('sleep', ['1000000']),
]);
