// vitest, in threads.
// Not by context: its sockets are those of other processes or threads.
import { fileURLToPath } from 'node:url';
import { startVitest } from 'vitest/node';

const root = fileURLToPath(new URL('../tests', import.meta.url));
const vitest = await startVitest('test', [], {
  ...{ root, config: false, watch: false, pool: 'threads', include: ['vitest.test.mjs'], reporters: [{}] },
  ...{ testTimeout: 20_000, cache: false },
});
const tests = vitest.state
  .getFiles()
  .flatMap(({ tasks }) => tasks.map(({ name, result }) => `${name}: ${result.state}`));
console.log(tests, process.exitCode);
await vitest.close();
