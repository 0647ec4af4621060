// `npm run bench`: bench/arming.js on Windows Node; sets up what it needs.

import { buildNative } from './build-native.js';
import { buildTypeScript, installDependencies, isWindows } from './run.js';
import { NEWEST, runWindowsNode } from './windows-node.js';

installDependencies();
buildTypeScript();
// Only Wine needs the recorder.
if (!isWindows) await buildNative({ check: true });
process.exitCode = await runWindowsNode(NEWEST, ['bench/arming.js', ...process.argv.slice(2)], { seconds: 600 });
