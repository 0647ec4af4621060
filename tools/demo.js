// `npm run demo`: demo/main.js on Windows Node; sets up what it needs.

import { buildTypeScript, installDependencies } from './run.js';
import { NEWEST, runWindowsNode } from './windows-node.js';

installDependencies();
buildTypeScript();
process.exitCode = await runWindowsNode(NEWEST, ['demo/main.js'], { seconds: 120 });
