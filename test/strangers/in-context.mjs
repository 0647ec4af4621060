// Runs the program that is named after it, which knows nothing of this, by context.

import { runWithLoopbackFastPath } from '../../dist/node.mjs';

const [, , program] = process.argv.splice(1, 1);
await runWithLoopbackFastPath({}, () => import(program ?? process.argv[1]));
