// The test suites that libraries bring along in their packages, plain and under a
// registration: what becomes of each test must not differ. Runs on Windows Node, prints
// a line for each suite, and leaves what it knows in the folder RESULTS, file by file of
// a suite; what is there already is not run again.
//
//   node test/suites/main.mjs RESULTS SUITE …

import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { hasCrashedWine, required, runToItsEnd } from '../support/strangers.mjs';

const REPEATED = 12;
const CRASHED = { passed: 0, failed: 0, skipped: 0, crashed: 1, sockets: 0, flaky: [], different: [] };

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const PLAIN = required(here('applied.cjs'));
const ARMED = `${PLAIN} ${required(here('../../dist/register.cjs'))}`;

/** Runs a file of tests, and tells what became of each test by its name. */
async function run(folder, file, options, applied) {
  const args = ['--test-reporter', new URL('reporter.mjs', import.meta.url).href, file];
  const env = { ...process.env, NODE_OPTIONS: options, LOOPBACK_TEST_APPLIED: applied };
  const { end, stdout } = await runToItsEnd(args, { cwd: folder, env });
  const tests = new Map([['the process', [end]]]);
  for (const line of stdout.split('\n').filter((line) => line.startsWith('["'))) {
    const [name, state] = JSON.parse(line);
    tests.set(name, [...(tests.get(name) ?? []), state]);
  }
  return tests;
}

/** Two tests of one name may end in any order. */
const same = (a = [], b = []) => [...a].sort().join() === [...b].sort().join();

async function compare(folder, file) {
  const applied = join(mkdtempSync(join(tmpdir(), 'suites-')), 'applied');
  const plains = [await run(folder, file, PLAIN, applied)];
  const armeds = [await run(folder, file, ARMED, applied)];
  // A line for each process. A plain one has none.
  const sockets = existsSync(applied)
    ? readFileSync(applied, 'utf8')
        .split('\n')
        .reduce((sum, n) => sum + Number(n), 0)
    : 0;
  const [plain] = plains;
  const [armed] = armeds;
  const flaky = [];
  const different = [];
  for (const name of new Set([...plain.keys(), ...armed.keys()])) {
    const among = (runs, one) => runs.filter((each) => same(each.get(name), one.get(name))).length;
    if (among(plains, armed) > 0) continue;
    while (among(plains, armed) === 0 && plains.length < REPEATED) plains.push(await run(folder, file, PLAIN, applied));
    const isPlainToo = among(plains, armed) > 0;
    // How often it is so when armed says whether it is worth looking for.
    while (!isPlainToo && armeds.length < REPEATED) armeds.push(await run(folder, file, ARMED, applied));
    const counts = `in ${among(plains, armed)} of ${plains.length} plain runs, ${among(armeds, armed)} of ${armeds.length} armed`;
    const how = `${file}: ${name}: ${armed.get(name) ?? 'missing'} ${counts}`;
    (isPlainToo ? flaky : different).push(how);
  }
  const states = [...plain].filter(([name]) => name !== 'the process').flatMap(([, states]) => states);
  const count = (state) => states.filter((each) => each === state).length;
  rmSync(dirname(applied), { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  return {
    ...{ passed: count('pass'), failed: count('fail'), skipped: count('skipped'), crashed: 0 },
    ...{ sockets, flaky, different },
  };
}

// Some tests start `node`.
process.env.PATH = `${dirname(process.execPath)}${delimiter}${process.env.PATH}`;

const [, , folder, ...suites] = process.argv;
const results = resolve(folder);
for (const suite of suites) {
  const library = here(`node_modules/${suite}`);
  const kept = join(results, suite.replace('/', '-'));
  mkdirSync(kept, { recursive: true });
  const files = readdirSync(join(library, 'test'), { recursive: true })
    .map((file) => file.replaceAll('\\', '/'))
    .filter((file) => /\.[cm]?js$/.test(file) && !/(^|\/)(helper|fixtures|utils|build|bundler|certs)/.test(file))
    .filter((file) => /\bnode:test\b/.test(readFileSync(join(library, 'test', file), 'utf8')));
  const all = [];
  for (const file of files) {
    const known = join(kept, `${file.replaceAll('/', '-')}.json`);
    if (!existsSync(known)) {
      const crashes = hasCrashedWine(`${known}.begun`);
      writeFileSync(known, JSON.stringify(crashes ? CRASHED : await compare(library, `test/${file}`)));
    }
    all.push(JSON.parse(readFileSync(known, 'utf8')));
  }
  const sum = (key) => all.reduce((total, each) => total + each[key], 0);
  const list = (key) => all.flatMap((each) => each[key]);
  const numbers = [files.length, sum('passed'), sum('failed'), sum('skipped'), sum('sockets')].map((n) =>
    String(n).padStart(7),
  );
  // Where nothing passes, or nothing is armed, nothing is shown.
  const shows = sum('passed') > 0 && sum('sockets') > 0;
  const verdict = list('different').length > 0 ? 'DIFFERENT' : shows ? 'same' : 'DIFFERENT: shows nothing';
  const report = [
    `${suite.padEnd(22)}${numbers.join(' ')}   ${verdict}, ${list('flaky').length} flaky${sum('crashed') > 0 ? `, ${sum('crashed')} files crash Wine` : ''}`,
    ...list('different').map((line) => `  ${line}`),
    ...list('flaky').map((line) => `  flaky: ${line}`),
    '',
  ].join('\n');
  process.stdout.write(report);
  writeFileSync(join(results, `${suite.replace('/', '-')}.txt`), report);
}
