// On Windows Node: the test files of build/mutation/jobs.json, each in a process of its
// own and with the mutant of the job at work, until one fails. What became of a job is a
// line in build/mutation/results.jsonl. A job without a mutant is to see what each comes by.

import { appendFileSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { createVitest } from 'vitest/node';

const folder = 'build/mutation';
const vitest = await createVitest('test', {
  watch: false,
  project: ['suite'],
  reporters: [{}],
  bail: 1,
});
for (const { config } of vitest.projects) config.setupFiles.push(resolve('test/mutation/seen.ts'));
const specifications = await vitest.globTestSpecifications();
const say = (job) => appendFileSync(`${folder}/results.jsonl`, `${JSON.stringify(job)}\n`);

/** Runs a test file. @returns {Promise<string | undefined>} the test that failed */
async function run(file) {
  const specification = specifications.find(({ moduleId }) => moduleId.endsWith(`/${file}.test.ts`));
  if (specification === undefined) throw new Error(`there is no test file ${file}`);
  const { testModules, unhandledErrors } = await vitest.runTestSpecifications([specification]);
  // Those of earlier runs are among them.
  const module = testModules.find(({ moduleId }) => moduleId === specification.moduleId);
  if (module?.state() === 'passed') return unhandledErrors[0] === undefined ? undefined : String(unhandledErrors[0]);
  const [failed] = module?.children.allTests('failed') ?? [];
  return failed?.fullName ?? module?.errors()[0]?.message ?? 'it ended without a result';
}

// Longer than any test file takes: an endless loop.
const PATIENCE = 240_000;

for (const { id, files } of JSON.parse(readFileSync(`${folder}/jobs.json`, 'utf8'))) {
  const isMutant = !id.startsWith('none');
  process.env.__STRYKER_ACTIVE_MUTANT__ = isMutant ? id : '';
  const begin = Date.now();
  let outcome = { status: 'survived' };
  for (const file of files) {
    process.env.LOOPBACK_TEST_SEEN = isMutant ? '' : `${folder}/seen/${file.replace('/', '-')}.json`;
    const tooLong = setTimeout(() => {
      say({ id, status: 'timeout', file });
      process.exit();
    }, PATIENCE);
    const test = await run(file);
    clearTimeout(tooLong);
    if (test !== undefined) {
      outcome = { status: 'killed', file, test };
      break;
    }
  }
  say({ id, ...outcome, files, seconds: (Date.now() - begin) / 1000 });
}
process.exit();
