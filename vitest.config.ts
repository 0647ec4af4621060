import { defineConfig } from 'vitest/config';

// test/windows runs on Windows and, through `npm test`, on node.exe under Wine;
// test/elsewhere on every other system; test/anywhere on all of them.
const folders = ['anywhere', process.platform === 'win32' ? 'windows' : 'elsewhere'];

export default defineConfig({
  test: {
    include: folders.map((folder) => `test/${folder}/**/*.test.ts`),
    // The recorder redirects a whole process: one for each file, one at a time.
    pool: 'forks',
    fileParallelism: false,
    testTimeout: 20_000,
    hookTimeout: 20_000,
  },
});
