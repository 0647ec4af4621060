// `npm run mutation`: do the tests notice when something in src/ is wrong? StrykerJS's
// instrumenter puts every mutant into one build of the package (src/cli is left as it
// is), the environment says which is at work, and vitest runs on node.exe under Wine the
// tests that come by it; for what survives there, those of Linux as well.
//
// StrykerJS's own runner for vitest is not used: it runs test files in threads of one
// process, of which the recorder redirects all. So the harness is this file and
// test/mutation/.
//
//   --sample N      so many mutants, by chance (default: all, in an order by chance)
//   --seed N        of that chance (default 1)
//   --only FILE     mutants of files whose name contains this
//   --ids A,B,…     these mutants, by their numbers
//   --lanes N       so many node.exe side by side (default 2)
//   --minutes N     stop after so long, and say so
//   --resume        go on with what build/mutation has, of the same src/ and tests
//
// build/mutation/report.json has every mutant with what became of it. It exits non-zero where
// one survives that test/mutation/survivors.json does not know.

import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { buildEverything } from '../../tools/build-native.js';
import { runInside } from '../../tools/debian.js';
import { isWindows, readJson, root } from '../../tools/run.js';
import { installProject } from '../../tools/test-projects.js';
import { NEWEST, runWindowsNode, VERSIONS } from '../../tools/windows-node.js';

const { values } = parseArgs({
  options: {
    sample: { type: 'string', default: 'Infinity' },
    seed: { type: 'string', default: '1' },
    only: { type: 'string', default: '' },
    ids: { type: 'string', default: '' },
    lanes: { type: 'string', default: '2' },
    minutes: { type: 'string', default: 'Infinity' },
    resume: { type: 'boolean', default: false },
  },
});
const folder = join(root, 'build', 'mutation');

/**
 * The mutants that no test can or does kill: in a file and a line, what becomes of what.
 *
 * @type {{ file: string, line: string, changes: string[], why: string }[]}
 */
const KNOWN = readJson(join(import.meta.dirname, 'survivors.json'));

// What tells something of src/ without src/cli; test/windows/libraries and others that need
// servers or minutes would only run it once more. All mutants are tried on the first, and what
// survives on the next: off Windows, by tests that start programs, which takes longer, and
// what depends on the version of Node on older ones.
const SYSTEMS = [
  {
    name: 'windows',
    version: NEWEST,
    tests: [
      ...['anywhere/arguments', 'anywhere/hostile'],
      ...['arming', 'client', 'connection', 'failures', 'faults', 'handed-out'].map((name) => `windows/${name}`),
      ...['ipv6', 'server', 'statements', 'status'].map((name) => `windows/${name}`),
    ],
  },
  { name: 'linux', tests: ['elsewhere/platform', 'anywhere/arguments', 'anywhere/import'] },
  {
    name: 'programs',
    version: NEWEST,
    programs: true,
    tests: ['anywhere/import', ...['cluster', 'hosts', 'register'].map((name) => `windows/${name}`)],
  },
  ...VERSIONS.filter((version) => version !== NEWEST).map((version) => ({
    ...{ name: `node-${version}`, version, only: /(intercept|policy)\.ts$/ },
    tests: ['arming', 'client', 'ipv6', 'register', 'server'].map((name) => `windows/${name}`),
  })),
];

/** How many jobs one start of vitest does: little is lost where Wine or vitest comes to an end. */
const GROUP = 20;

/** Puts every mutant into build/mutation/dist, and a list of them beside it. */
async function instrument() {
  const modules = join(await installProject('mutation'), 'node_modules');
  const require = createRequire(join(modules, 'x.js'));
  const { Instrumenter } = await import(pathToFileURL(require.resolve('@stryker-mutator/instrumenter')).href);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
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
  const tell = readFileSync(join(root, 'test/mutation/seen-by-program.cjs'), 'utf8');
  for (const file of ['core.cjs', 'register.cjs']) appendFileSync(join(folder, 'dist', file), `;(() => {${tell}})();`);
  writeFileSync(join(folder, 'mutants.json'), JSON.stringify(mutants));
}

/**
 * Has test/mutation/run.mjs do jobs, on node.exe or on Linux, in a build/ of its own: some
 * tests leave there what they start.
 *
 * @returns {Promise<object[]>} what became of them
 */
async function runGroup({ version }, jobs, lane) {
  const place = join(folder, lane);
  rmSync(place, { recursive: true, force: true });
  cpSync(join(root, 'build/x64/Release'), join(place, 'x64/Release'), { recursive: true });
  writeFileSync(join(place, 'jobs.json'), JSON.stringify(jobs));
  const results = join(place, 'results.jsonl');
  writeFileSync(results, '');
  const binds = [
    [join(folder, 'dist'), '/checkout/dist'],
    [place, '/checkout/build'],
  ];
  const options = { quiet: true, seconds: 3600, binds };
  const program = 'test/mutation/run.mjs';
  if (version === undefined) await runInside(['node', program], options);
  else await runWindowsNode(version, [program], { ...options, nativeModules: true });
  const lines = readFileSync(results, 'utf8').trim().split('\n').filter(Boolean);
  return [...new Map(lines.map((line) => JSON.parse(line)).map((each) => [each.id, each])).values()];
}

/** Stands for whatever a program came by that could not tell: it was ended by force, or may not write. */
const UNKNOWN = 'unknown';

/** Runs every file without a mutant. @returns {Promise<object[]>} what each takes, and which mutants each of its tests comes by */
async function observe(system) {
  const seen = join(folder, system.name, 'seen');
  if (!values.resume || !existsSync(seen)) {
    const jobs = system.tests.map((file) => ({ id: file, seen: true, steps: [{ files: [{ file }], limit: 300 }] }));
    const outcomes = await runGroup(system, jobs, system.name);
    const failed = jobs.find((job) => outcomes.find(({ id }) => id === job.id)?.status !== 'survived');
    if (failed !== undefined) throw new Error(`Without a mutant ${failed.id} fails`);
  }
  return system.tests.map((file) => {
    const { loading, tests } = readJson(join(seen, `${file.replace('/', '-')}.json`));
    for (const test of tests) test.mutants = new Set(test.mutants);
    const own = new Map(tests.map((test) => [test.id, test]));
    for (const name of readdirSync(join(seen, 'programs'))) {
      const { test, mutants = [UNKNOWN] } = readJson(join(seen, 'programs', name));
      for (const mutant of mutants) own.get(test)?.mutants.add(mutant);
    }
    if (system.programs) for (const { mutants } of tests) if (mutants.size === 0) mutants.add(UNKNOWN);
    return { file, tests, loading: new Set(loading) };
  });
}

/**
 * What there is to run for a mutant: the tests that come by it, those that start programs that
 * could not tell, and every test that takes no time where loading the package comes by it, or
 * one test alone: that may be what is done once in a process, for all of them.
 */
function filesFor({ id }, observed) {
  return observed.flatMap(({ file, tests, loading }) => {
    const isOnce = loading.has(id) || tests.filter(({ mutants }) => mutants.has(id)).length === 1;
    const chosen = tests.filter(
      ({ seconds, mutants }) => mutants.has(id) || mutants.has(UNKNOWN) || (isOnce && seconds < 0.5),
    );
    if (chosen.length === 0) return [];
    const times = chosen.map(({ seconds }) => seconds);
    const seconds = times.reduce((sum, each) => sum + each, 0.1);
    return [{ file, ids: chosen.map((test) => test.id), seconds, slowest: Math.max(...times) }];
  });
}

/** Whether the system answers to a test file, and no recorder: a process keeps that answer. */
const asksSystem = (file) => !readFileSync(join(root, `test/${file}.test.ts`), 'utf8').includes('useRecorder(');

/** Files as steps, each for a process: no test gets more than three times what the slowest of its step takes, and 5 s. */
function stepsOf(files) {
  const steps = new Map();
  for (const each of files) {
    const kind = `${each.slowest > 1} ${asksSystem(each.file)}`;
    steps.set(kind, [...(steps.get(kind) ?? []), each]);
  }
  return [...steps.values()].map((some) => ({
    files: some.map(({ file, ids }) => ({ file, ids })),
    patience: 5 + 3 * Math.max(...some.map(({ slowest }) => slowest)),
    limit: 30 + 10 * some.reduce((sum, { seconds }) => sum + seconds, 0),
  }));
}

/** Some of a list, by chance, the same for the same seed. */
function sample(list, count, random) {
  const drawn = list.map((item) => [random(), item]).toSorted(([a], [b]) => a - b);
  return drawn.slice(0, count).map(([, item]) => item);
}

/** What became of the mutants, by their numbers. */
const outcomes = new Map();

/** Tries mutants, in lanes side by side, until one runs out of time. */
async function tryMutants(system, mutants, until) {
  const observed = await observe(system);
  const waiting = mutants.map((mutant) => ({ mutant, files: filesFor(mutant, observed) }));
  // How often a test file found a mutant of a source file: the likeliest for its time goes first.
  const found = new Map();
  const count = (source, file) => found.get(`${source} ${file}`) ?? { runs: 0, kills: 0 };
  const worth = (source, { file, seconds }) => {
    const { runs, kills } = count(source, file);
    return (kills + 1) / (runs + 2) / seconds;
  };
  const total = waiting.length;
  let done = 0;
  let groups = 0;

  async function lane(name) {
    while (waiting.length > 0 && Date.now() < until) {
      const group = waiting.splice(0, GROUP);
      const jobs = group.map(({ mutant: { id, fileName }, files }) => {
        const sorted = files.toSorted((a, b) => worth(fileName, b) - worth(fileName, a));
        return { id, mutant: id, steps: stepsOf(sorted) };
      });
      // How often does a test fail by itself?
      const [{ steps }] = jobs;
      jobs.unshift({ id: `control ${system.name} ${groups++}`, steps: steps.slice(0, 1) });
      const results = await runGroup(system, jobs, name);
      const isKnown = ({ mutant }) => results.some(({ id }) => id === mutant.id);
      if (!group.some(isKnown)) throw new Error(`Nothing came of mutant ${group[0].mutant.id}.`);
      waiting.unshift(...group.filter((each) => !isKnown(each)));
      for (const result of results) {
        const { tried = [] } = outcomes.get(result.id) ?? {};
        const now = result.tried.map((file) => `${system.name}: ${file}`);
        outcomes.set(result.id, { ...result, tried: [...tried, ...now] });
      }
      for (const { mutant } of group.filter(isKnown)) {
        ++done;
        const { file: killer, tried } = results.find(({ id }) => id === mutant.id);
        for (const file of killer === undefined ? tried : tried.slice(0, tried.indexOf(killer) + 1)) {
          const { runs, kills } = count(mutant.fileName, file);
          found.set(`${mutant.fileName} ${file}`, { runs: runs + 1, kills: kills + Number(file === killer) });
        }
      }
      const killed = mutants.filter(({ id }) => (outcomes.get(id)?.status ?? 'survived') !== 'survived').length;
      console.log(`… on ${system.name} ${done} of ${total} tried, ${killed} killed`);
      report();
    }
  }
  const lanes = Array.from({ length: Number(values.lanes) }, (_, i) => `${system.name}-${i}`);
  await Promise.all(lanes.map(lane));
}

/** Writes what is known by now. @returns {object[]} it */
function report() {
  const tried = drawn
    .filter(({ id }) => outcomes.has(id))
    .map((mutant) => ({ ...mutant, ...outcomes.get(mutant.id) }))
    .sort((a, b) => a.fileName.localeCompare(b.fileName) || a.location.start.line - b.location.start.line);
  writeFileSync(join(folder, 'report.json'), JSON.stringify(tried, undefined, 1));
  return tried;
}

if (isWindows) throw new Error('npm run mutation mounts one dist/ over another, which it does on Linux alone');
await buildEverything();
const { seededRandom } = await import('../../dist/cli/bench/statistics.js');
if (!values.resume) await instrument();
const mutants = readJson(join(folder, 'mutants.json'));
const ids = values.ids.split(',').filter(Boolean);
const wanted = mutants.filter(
  ({ id, fileName }) => fileName.includes(values.only) && (ids.length === 0 || ids.includes(id)),
);
if (values.resume) for (const each of readJson(join(folder, 'report.json'))) outcomes.set(each.id, each);
const drawn = sample(wanted, Number(values.sample), seededRandom(Number(values.seed)));
console.log(`${mutants.length} mutants, of which ${drawn.length} are tried`);
const until = Date.now() + Number(values.minutes) * 60_000;
for (const system of SYSTEMS) {
  const left = drawn.filter(({ id, fileName }) => {
    const { status } = outcomes.get(id) ?? {};
    if (system === SYSTEMS[0]) return status === undefined;
    return status === 'survived' && (system.only ?? /./).test(fileName);
  });
  if (left.length > 0) await tryMutants(system, left, system === SYSTEMS[0] ? until : Number.POSITIVE_INFINITY);
}

/** What a mutant changes: the line that it begins in, and what becomes of what. */
function changeOf({ fileName, location: { start, end }, replacement }) {
  const lines = readFileSync(join(root, fileName), 'utf8').split('\n');
  // Lines count from 0.
  const changed = lines.slice(start.line, end.line + 1);
  changed.push(changed.pop().slice(0, end.column));
  changed.unshift(changed.shift().slice(start.column));
  const [from, to] = [changed.join(' '), replacement].map((text) => text.replace(/\s+/g, ' ').slice(0, 60));
  return { line: lines[start.line].trim(), change: `${from} → ${to}` };
}

/** Why it survives, where that is known. */
function reasonFor(mutant) {
  const { line, change } = changeOf(mutant);
  const isIt = (each) => each.file === mutant.fileName && each.line === line && each.changes.includes(change);
  return KNOWN.find(isIt)?.why;
}

const all = report();
const survivors = all.filter(({ status }) => status === 'survived');
const unexplained = survivors.filter((mutant) => reasonFor(mutant) === undefined);
for (const mutant of survivors) {
  const { id, fileName, location, tried } = mutant;
  const { line, change } = changeOf(mutant);
  const why = reasonFor(mutant) ?? (tried.length === 0 ? 'NOT EXPLAINED: no test comes by it' : 'NOT EXPLAINED');
  console.log(`survived: ${id} ${fileName}:${location.start.line + 1}: ${line}\n    ${change}\n    ${why}`);
}
const killed = all.length - survivors.length;
const score = ((100 * killed) / all.length).toFixed(1);
const late = all.filter(({ status }) => status === 'timeout').length;
console.log(`${killed} of ${all.length} killed (${score} %), of ${mutants.length} mutants; seed ${values.seed}`);
console.log(`${late} of them by the time limit`);
const unclear = survivors.filter((each) => each.unclear !== undefined).length;
if (unclear > 0) console.log(`${unclear} of the survivors: a test failed, and without the mutant as well`);
const controls = [...outcomes.values()].filter(({ id }) => id.startsWith('control'));
const failed = controls.filter(({ status }) => status !== 'survived');
console.log(`${failed.length} of ${controls.length} runs without a mutant failed in between`);
console.log(`${unexplained.length} of the survivors without a reason in test/mutation/survivors.json`);
process.exitCode = unexplained.length > 0 ? 1 : 0;
if (all.length < drawn.length) console.log(`${drawn.length - all.length} were not tried: the time was over`);
