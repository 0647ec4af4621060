// The jobs of build/jobs.json. Each has steps: test files with the ids of their tests, one
// after the other in a new process, with the mutant of the job at work, until a test fails.
// What became of a job is a line in build/results.jsonl. A job without a mutant is to see what
// its tests come by, and how long they take; with `seen`, that is left in build/seen.

import { appendFileSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { inspect } from 'node:util';
import { createVitest } from 'vitest/node';

const jobs = JSON.parse(readFileSync('build/jobs.json', 'utf8'));
const say = (job) => appendFileSync('build/results.jsonl', `${JSON.stringify(job)}\n`);

/** Of the run under way: the module of each file that came to its end, and what failed first. */
let ended = new Map();
let failure;
const reporter = {
  onTestCaseResult(test) {
    const { state, errors } = test.result();
    if (state === 'failed')
      failure ??= { file: test.module.moduleId, test: `${test.fullName}: ${errors[0]?.name}: ${errors[0]?.message}` };
  },
  onTestModuleEnd(module) {
    ended.set(module.moduleId, module);
  },
};

const vitest = await createVitest('test', { watch: false, project: ['suite'], reporters: [reporter], bail: 1 });
const [project] = vitest.projects;
const { testTimeout } = project.config;
// In the order of the job.
vitest.config.sequence.sequencer = class {
  sort = (files) => files;
  shard = (files) => files;
};
// For one run there is one process, and no file of it begins anew.
project.config.isolate = false;
if (jobs.some(({ seen }) => seen)) project.config.setupFiles.push(resolve('test/mutation/seen.ts'));
const known = await vitest.globTestSpecifications();

function specificationOf({ file, ids }) {
  const found = known.find(({ moduleId }) => moduleId.endsWith(`/${file}.test.ts`));
  if (found === undefined) throw new Error(`there is no test file ${file}`);
  return project.createSpecification(found.moduleId, { testIds: ids });
}

/** Runs tests of some files. @returns {Promise<{ file: string, test: string } | undefined>} the test that failed */
async function run({ files, patience }) {
  project.config.testTimeout = patience === undefined ? testTimeout : patience * 1000;
  ended = new Map();
  failure = undefined;
  const specifications = files.map(specificationOf);
  const { unhandledErrors } = await vitest.runTestSpecifications(specifications);
  const nameOf = (moduleId) => files[specifications.findIndex((each) => each.moduleId === moduleId)]?.file;
  if (failure !== undefined) return { file: nameOf(failure.file), test: failure.test };
  for (const { moduleId } of specifications) {
    const module = ended.get(moduleId);
    if (module?.state() === 'passed') continue;
    return { file: nameOf(moduleId), test: module?.errors()[0]?.message ?? `no result: ${unhandledErrors[0]}` };
  }
  if (unhandledErrors.length > 0) return { file: files.at(-1).file, test: inspect(unhandledErrors[0]) };
  return undefined;
}

/** The tests that were seen to pass without a mutant, on this machine as it is now. */
const trusted = new Set();

/**
 * Runs tests with a mutant at work. A test that fails for the first time, or otherwise than by
 * an assertion, could be the machine's doing: it counts where its file is all right without the
 * mutant, and is unclear otherwise.
 */
async function judge(step, mutant = '') {
  process.env.__STRYKER_ACTIVE_MUTANT__ = mutant;
  const failed = await run(step);
  if (mutant === '' || failed === undefined) return failed;
  const [name, rest] = failed.test.split(': AssertionError: ');
  if (rest !== undefined && trusted.has(name)) return failed;
  process.env.__STRYKER_ACTIVE_MUTANT__ = '';
  const without = await run({ ...step, files: step.files.filter(({ file }) => file === failed.file) });
  if (without !== undefined) return { ...failed, unclear: without.test };
  trusted.add(name);
  return failed;
}

for (const { id, mutant, seen, steps } of jobs) {
  process.env.LOOPBACK_TEST_SEEN = seen ? resolve('build/seen') : '';
  process.env.LOOPBACK_TEST_FILE = id;
  const begin = Date.now();
  const seconds = () => (Date.now() - begin) / 1000;
  let failed;
  const tried = [];
  for (const step of steps) {
    tried.push(...step.files.map(({ file }) => file));
    // An endless loop, which vitest cannot end.
    const tooLong = setTimeout(() => {
      say({ id, status: 'timeout', tried, seconds: seconds() });
      process.exit();
    }, step.limit * 1000);
    failed = await judge(step, mutant);
    clearTimeout(tooLong);
    if (failed !== undefined && failed.unclear === undefined) break;
  }
  const status = failed === undefined || failed.unclear !== undefined ? 'survived' : 'killed';
  say({ id, status, ...failed, tried, seconds: seconds() });
}
process.exit();
