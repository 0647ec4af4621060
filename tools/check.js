// Runs some tests of test/repository or test/package on this Node, by the names of
// their files; sets up what they need.
//
//   --write   write the documents that they would only compare (not with --check)

import { buildTypeScript, installDependencies } from './run.js';
import { runVitest } from './vitest.js';

const args = process.argv.slice(2);
const files = args.filter((name) => !name.startsWith('--'));
const write = args.includes('--write') && !args.includes('--check');

await installDependencies();
await buildTypeScript();
const done = runVitest(files.join('-'), [...files.map((name) => `/${name}.test.ts`), ...(write ? ['--update'] : [])]);
await done.catch(({ message }) => {
  console.error(message);
  process.exitCode = 1;
});
