// Runs the program that is named after it, which knows nothing of this, by context.

import { pathToFileURL } from 'node:url';
import { runWithLoopbackFastPath } from '../../dist/node.mjs';

process.argv.splice(1, 1);
await runWithLoopbackFastPath({}, () => import(pathToFileURL(process.argv[1])));
