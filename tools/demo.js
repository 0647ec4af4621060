// `npm run demo`: demo/main.js on Windows Node; sets up what it needs.

import { buildTypeScript, installDependencies } from './run.js';
import { NEWEST, prepareWindowsNode, runWindowsNode } from './windows-node.js';

await Promise.all([installDependencies().then(buildTypeScript), prepareWindowsNode(NEWEST)]);
process.exitCode = await runWindowsNode(NEWEST, ['demo/main.js'], { seconds: 120 });
