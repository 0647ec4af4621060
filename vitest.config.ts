import { defineConfig } from 'vitest/config';

// test/windows runs on Windows and, through `npm test`, on node.exe under Wine;
// test/elsewhere on every other system; test/anywhere on all of them.
const folders = ['anywhere', process.platform === 'win32' ? 'windows' : 'elsewhere'];

export default defineConfig({
  test: {
    // The recorder redirects a whole process: one for each file, one at a time.
    pool: 'forks',
    fileParallelism: false,
    // Runs side by side share node_modules, where it would be.
    cache: false,
    disableConsoleIntercept: true,
    // The package is loaded by Node, as it is shipped, and not by Vite.
    server: { deps: { external: [/[\\/]dist[\\/]/] } },
    projects: [
      {
        extends: true,
        test: {
          name: 'suite',
          include: folders.map((folder) => `test/${folder}/**/*.test.ts`),
          setupFiles: 'test/support/take-coverage.ts',
          testTimeout: 20_000,
          hookTimeout: 20_000,
        },
      },
      // What the repository says of itself, and the package as its users get it.
      ...['repository', 'package'].map((name) => ({
        extends: true as const,
        test: { name, include: [`test/${name}/**/*.test.ts`], testTimeout: 300_000, hookTimeout: 300_000 },
      })),
    ],
  },
});
