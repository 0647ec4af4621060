// `npm run bench:arming`, `npm run bench:register`: a script of bench/ on Windows
// Node; sets up what it needs.

import { buildNative } from './build-native.js';
import { buildTypeScript, installDependencies, isWindows } from './run.js';
import { NEWEST, runWindowsNode } from './windows-node.js';

const [name, ...args] = process.argv.slice(2);
installDependencies();
buildTypeScript();
// Only Wine needs the recorder.
if (!isWindows) await buildNative({ check: true });
process.exitCode = await runWindowsNode(NEWEST, [`bench/${name}.js`, ...args], { seconds: 600 });
