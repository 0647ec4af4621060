// `npm run mutation`: do the tests notice when something in src/ is wrong? StrykerJS's
// instrumenter puts every mutant into one build of the package (src/cli is left as it
// is), the environment says which is at work, and vitest runs on node.exe under Wine the
// test files that come by it.
//
// StrykerJS's own runner for vitest is not used: it runs test files in threads of one
// process, of which the recorder redirects all. So the harness is this file and
// test/mutation/run.mjs.
//
//   --sample N      so many mutants, by chance (default: all)
//   --seed N        of that chance (default 1)
//   --only FILE     mutants of files whose name contains this
//   --ids A,B,…     these mutants, by their numbers
//   --minutes N     stop after so long, and say so
//
// build/mutation/report.json has every mutant with what became of it.

import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { buildEverything } from './build-native.js';
import { isWindows, readJson, root } from './run.js';
import { installProject } from './test-projects.js';
import { NEWEST, runWindowsNode } from './windows-node.js';

const { values } = parseArgs({
  options: {
    sample: { type: 'string', default: 'Infinity' },
    seed: { type: 'string', default: '1' },
    only: { type: 'string', default: '' },
    ids: { type: 'string', default: '' },
    minutes: { type: 'string', default: 'Infinity' },
  },
});
const folder = join(root, 'build', 'mutation');
const results = join(folder, 'results.jsonl');

// Those that say something of src/ without src/cli; test/windows/libraries and others
// that need servers or minutes would only run it once more.
const TESTS = [
  ...['arguments', 'import', 'hostile'].map((name) => `anywhere/${name}`),
  ...['arming', 'client', 'cluster', 'connection', 'failures', 'faults', 'ipv6', 'register'].map(
    (name) => `windows/${name}`,
  ),
  ...['server', 'statements', 'status'].map((name) => `windows/${name}`),
];
// Start programs with the package, so what they come by is not known: they are for what no other comes by.
const IN_PROGRAMS = ['windows/register', 'anywhere/import', 'windows/cluster'];
/** Puts every mutant into build/mutation/dist. @returns {Promise<object[]>} them */
async function instrument() {
  const modules = join(await installProject('mutation'), 'node_modules');
  const require = createRequire(join(modules, 'x.js'));
  const { Instrumenter } = await import(pathToFileURL(require.resolve('@stryker-mutator/instrumenter')).href);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(join(folder, 'seen'), { recursive: true });
  for (const part of ['src', 'tsconfig.json', 'prebuilds'])
    cpSync(join(root, part), join(folder, part), { recursive: true });
  const sources = readdirSync(join(root, 'src'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.parentPath.includes('cli'))
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length))
    .filter((name) => name.endsWith('.ts'))
    .map((name) => ({ name, mutate: true, content: readFileSync(join(root, name), 'utf8') }));
  const silent = { isDebugEnabled: () => false, debug() {}, info() {}, warn: console.warn };
  const options = { plugins: null, excludedMutations: [], ignorers: [], noHeader: false };
  const { files, mutants } = await new Instrumenter(silent).instrument(sources, options);
  for (const { name, content } of files) writeFileSync(join(folder, name), content);

  const { build } = await import('rolldown');
  process.chdir(folder);
  const { default: configs } = await import(pathToFileURL(join(root, 'rolldown.config.js')).href);
  // Types are of no use here.
  const ofCode = configs.filter(({ plugins }) => !plugins.flat().some(({ name }) => name.includes('dts')));
  for (const config of ofCode) await build({ ...config, logLevel: 'silent' });
  process.chdir(root);
  return mutants.map((mutant) => ({ ...mutant, fileName: mutant.fileName.replaceAll('\\', '/') }));
}

const readResults = () =>
  existsSync(results)
    ? readFileSync(results, 'utf8')
        .trim()
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line))
    : [];

/** Runs jobs, in groups, so that little is lost where Wine or vitest comes to an end. */
async function runJobs(jobs, until = Number.POSITIVE_INFINITY) {
  const left = () => {
    const known = new Set(readResults().map(({ id }) => id));
    return jobs.filter(({ id }) => !known.has(id));
  };
  for (let waiting = left(); waiting.length > 0 && Date.now() < until; ) {
    writeFileSync(join(folder, 'jobs.json'), JSON.stringify(waiting.slice(0, 10)));
    await runWindowsNode(NEWEST, ['test/mutation/run.mjs'], {
      nativeModules: true,
      quiet: true,
      seconds: 3600,
      binds: [[join(folder, 'dist'), '/checkout/dist']],
    });
    const after = left();
    if (after.length === waiting.length) throw new Error(`Nothing came of mutant ${waiting[0].id}.`);
    waiting = after;
    console.log(`… ${jobs.length - waiting.length} of ${jobs.length}`);
  }
}

/** Some of a list, by chance, the same for the same seed. */
function sample(list, count, seed) {
  const random = seededRandom(seed);
  const drawn = list.map((item) => [random(), item]).toSorted(([a], [b]) => a - b);
  return drawn.slice(0, count).map(([, item]) => item);
}

if (isWindows) throw new Error('npm run mutation mounts one dist/ over another, which it does on Linux alone');
await buildEverything();
const { seededRandom } = await import('../dist/cli/bench/statistics.js');
const mutants = await instrument();

// Without a mutant everything passes, and tells which mutants each test file comes by.
const none = (file) => `none: ${file}`;
await runJobs(TESTS.map((file) => ({ id: none(file), files: [file] })));
const unmutated = new Map(readResults().map((each) => [each.id, each]));
for (const [id, { status, test }] of unmutated) {
  if (status !== 'survived') throw new Error(`${id}: without a mutant it fails: ${test}`);
}
const seconds = (file) => unmutated.get(none(file)).seconds;
const seen = new Map(
  TESTS.map((file) => [file, new Set(readJson(join(folder, 'seen', `${file.replace('/', '-')}.json`)))]),
);

/** The test files that come by a mutant, the quickest first. */
function filesFor({ id, fileName }) {
  const files = TESTS.filter((file) => seen.get(file).has(id));
  if (files.length === 0 || fileName.includes('process-wide') || fileName.includes('entries'))
    files.push(...IN_PROGRAMS);
  return [...new Set(files)].sort((a, b) => seconds(a) - seconds(b));
}

const ids = values.ids.split(',').filter(Boolean);
const wanted = mutants.filter(
  ({ id, fileName }) => fileName.includes(values.only) && (ids.length === 0 || ids.includes(id)),
);
const drawn = sample(wanted, Number(values.sample), Number(values.seed));
console.log(`${mutants.length} mutants, of which ${drawn.length} are tried`);
await runJobs(
  drawn.map((mutant) => ({ id: mutant.id, files: filesFor(mutant) })),
  Date.now() + Number(values.minutes) * 60_000,
);

const outcomes = new Map(readResults().map((each) => [each.id, each]));
const tried = drawn.filter(({ id }) => outcomes.has(id));
const report = tried
  .map((mutant) => ({ ...mutant, ...outcomes.get(mutant.id) }))
  .sort((a, b) => a.fileName.localeCompare(b.fileName) || a.location.start.line - b.location.start.line);
writeFileSync(join(folder, 'report.json'), JSON.stringify(report, undefined, 1));
const survivors = report.filter(({ status }) => status === 'survived');
for (const { id, fileName, location, mutatorName, replacement } of survivors) {
  // Lines count from 0.
  const { line } = location.start;
  const source = readFileSync(join(root, fileName), 'utf8').split('\n')[line].trim();
  console.log(`survived: ${id} ${fileName}:${line + 1} ${mutatorName}: ${source} → ${replacement}`);
}
const killed = report.length - survivors.length;
const score = ((100 * killed) / report.length).toFixed(1);
console.log(`${killed} of ${report.length} killed (${score} %), of ${mutants.length} mutants; seed ${values.seed}`);
if (tried.length < drawn.length) console.log(`${drawn.length - tried.length} were not tried: the time was over`);
