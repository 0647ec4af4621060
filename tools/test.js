// `npm test`: everything that must hold before a change lands. On Windows with
// this Node; elsewhere on this system's Node and on every supported node.exe
// under Wine. Sets up what it needs. What is independent runs side by side, each
// step in a process of its own (`node tools/test.js soak` is one of them). The
// last line counts the tests.

import { closeSync, mkdirSync, openSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { forgetCoverage, printCoverage } from '../test/coverage/coverage.js';
import { fuzzBriefly } from '../test/fuzz/fuzz.js';
import { runAFewStrangers } from '../test/strangers/strangers.mjs';
import { buildNative } from './build-native.js';
import { install } from './debian.js';
import { clangFormat } from './format.js';
import { checkNative } from './native-checks.js';
import { buildTypeScript, installDependencies, isWindows, root, run, runPackage } from './run.js';
import { soak } from './soak.js';
import { testSuite, testSuiteUnderWine } from './suite.js';
import { resultsOf, runVitest } from './vitest.js';
import { NEWEST, prepareWindowsNode, VERSIONS, windowsDependencies } from './windows-node.js';

// Other steps need what these leave behind, or are needed by none and quick.
const FIRST = {
  'native build': () => buildNative({ check: true }),
  'format and lint': () => runPackage('@biomejs/biome/bin/biome', ['check', '--error-on-warnings', '.']),
  layers: () => runPackage('dependency-cruiser/bin/dependency-cruise.mjs', ['src']),
  types: async () => {
    // The tests look into types of the command, which are not packed.
    const isPacked = process.env.LOOPBACK_TEST_DIST === 'packed';
    for (const project of isPacked ? ['.'] : ['.', 'test']) await runPackage('typescript/bin/tsc', ['-p', project]);
  },
  repository: () => runVitest('repository', ['--project', 'repository']),
};

// The longest first, so that none is left over at the end.
const UNDER_WINE = Object.fromEntries(
  VERSIONS.map((version) => [`node.exe ${version} under Wine`, () => testSuiteUnderWine(version)]),
);
const ON_LINUX = {
  ...UNDER_WINE,
  [`node.exe ${NEWEST} under the Wine that accepts the ioctl`]: () => testSuiteUnderWine(NEWEST, { accepting: true }),
  package: () => runVitest('package', ['--project', 'package']),
  [`Node ${process.version}`]: testSuite,
  'clang-tidy, GCC, no global state': checkNative,
  'native code, fuzzed': fuzzBriefly,
  soak: () => soak(),
  'soak with faults': () => soak(['--faults', '--connections', '2000']),
  'a few programs of others': runAFewStrangers,
  'format of native code': () => clangFormat('--dry-run', '-Werror'),
};
const ON_WINDOWS = {
  [`Node ${process.version}`]: testSuite,
  soak: () => soak(),
  'soak with faults': () => soak(['--faults', '--connections', '2000']),
  package: () => runVitest('package', ['--project', 'package', 'tarball', 'managers', 'runtimes']),
};
// A tarball with a binary that MSVC built is not what is shipped.
if (process.env.LOOPBACK_TEST_BINARY === 'MSVC') delete ON_WINDOWS.package;

const THEN = isWindows ? ON_WINDOWS : ON_LINUX;
const AT_ONCE = isWindows ? 1 : 2;

const logs = join(root, 'build', 'logs');
const running = new Map();
const failed = [];
const seconds = (start) => `${((Date.now() - start) / 1000).toFixed(1)} s`;

/** Runs a step in a process of its own, and shows what it printed once it is over. */
async function runStep(name) {
  const start = Date.now();
  running.set(name, start);
  const file = join(logs, `${name}.log`);
  const log = openSync(file, 'w');
  try {
    await run(process.execPath, [import.meta.filename, name], { stdio: ['ignore', log, log] });
  } catch {
    failed.push(name);
  }
  closeSync(log);
  running.delete(name);
  console.log(`\n# ${name}\n${readFileSync(file, 'utf8')}# ${name}: ${seconds(start)}`);
}

/** Runs steps, two at a time. */
async function runSteps(steps) {
  const waiting = Object.keys(steps);
  const lane = async () => {
    for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) await runStep(name);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
}

/** Puts into the cache what several steps want, which each of them would do on its own. */
async function prepare() {
  if (isWindows) return;
  const nodes = VERSIONS.map((version) => prepareWindowsNode(version));
  await Promise.all([...nodes, windowsDependencies(), install('builder'), install('servers')]);
}

async function runEverything() {
  const start = Date.now();
  rmSync(join(root, 'build', 'results'), { recursive: true, force: true });
  forgetCoverage();
  mkdirSync(logs, { recursive: true });
  const timer = setInterval(() => {
    console.log(`… ${[...running].map(([name, since]) => `${name} (${seconds(since)})`).join(', ')}`);
  }, 30_000);
  await Promise.all([installDependencies().then(buildTypeScript), prepare()]);
  await runSteps(FIRST);
  await runSteps(THEN);
  clearInterval(timer);
  console.log();
  await printCoverage({ complete: !isWindows && failed.length === 0 }).catch(({ message }) => failed.push(message));

  const tests = resultsOf();
  const passed = tests.filter(({ status }) => status === 'passed');
  const wrong = tests.filter(({ status }) => status === 'failed');
  const skipped = tests.filter(({ status }) => status !== 'passed' && status !== 'failed');
  for (const test of skipped) console.log(`Skipped on ${test.step}: ${test.name}`);
  for (const test of wrong) console.log(`Failed on ${test.step}: ${test.name}`);
  for (const name of failed) console.log(`Failed: ${name}`);
  console.log(`\nIt took ${seconds(start)}.`);
  // A step that failed without a failed test, such as the linter, counts as one.
  const failures = wrong.length + failed.filter((name) => !wrong.some(({ step }) => step === name)).length;
  const total = `${passed.length} passed, ${failures} failed`;
  console.log(`${total}${skipped.length > 0 ? `, ${skipped.length} skipped` : ''}`);
  process.exitCode = failures > 0 ? 1 : 0;
}

const [only] = process.argv.slice(2);
if (only === undefined) await runEverything();
else {
  try {
    await { ...FIRST, ...THEN }[only]();
  } catch (error) {
    console.error(error.message);
    process.exitCode = 1;
  }
}
