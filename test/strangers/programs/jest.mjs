// Jest, with its modules and globals of another realm, in this process.
import { fileURLToPath } from 'node:url';
import jest from 'jest';

const rootDir = fileURLToPath(new URL('../tests', import.meta.url));
const config = JSON.stringify({
  rootDir,
  testMatch: ['**/globals.test.cjs'],
  testTimeout: 20_000,
  haste: { forceNodeFilesystemAPI: true },
});
const { results } = await jest.runCLI(
  { config, runInBand: true, silent: true, reporters: [], watchman: false, cache: false, ci: true },
  [rootDir],
);
console.log({ passes: results.numPassedTests, failures: results.numFailedTests });
process.exitCode = results.numFailedTests;
