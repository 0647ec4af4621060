// How vitest is run: what became of each test is left in build/results.

import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { readJson, root, runPackage } from './run.js';

const results = join(root, 'build', 'results');

/** Its arguments for a run of that name. */
export function vitestArguments(name, args) {
  return ['run', ...args, '--reporter=default', '--reporter=json', `--outputFile.json=build/results/${name}.json`];
}

/** Runs it on this Node. @throws {Error} when a test fails. */
export function runVitest(name, args, env = {}) {
  return runPackage('vitest/vitest.mjs', vitestArguments(name, args), { env: { ...process.env, ...env } });
}

/** The tests of all runs, each with the run it was in and what became of it. */
export function resultsOf() {
  const files = existsSync(results) ? readdirSync(results) : [];
  return files.flatMap((file) =>
    readJson(join(results, file)).testResults.flatMap(({ assertionResults }) =>
      assertionResults.map(({ fullName, status }) => ({ step: file.replace('.json', ''), name: fullName, status })),
    ),
  );
}
