// The test suites that libraries bring along in their packages, plain and under a
// registration: what becomes of each test must not differ. Runs on Windows Node, prints
// a line for each suite, and leaves what it knows in the folder RESULTS, file by file of
// a suite; what is there already is not run again.
//
//   node test/suites/main.mjs RESULTS SUITE …

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const LIMIT = 120_000;
const REPEATED = 12;
const CRASHED = { passed: 0, failed: 0, skipped: 0, crashed: 1, flaky: [], different: [] };

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const required = (path) => `--require "${here(path).replaceAll('\\', '/')}"`;
const PLAIN = required('applied.cjs');
const ARMED = `${PLAIN} ${required('../../dist/register.cjs')}`;

/** Runs a file of tests, and tells what became of each test by its name. */
async function run(folder, file, options, applied) {
  const args = ['--test-reporter', new URL('reporter.mjs', import.meta.url).href, file];
  const env = { ...process.env, NODE_OPTIONS: options, LOOPBACK_TEST_APPLIED: applied };
  const child = spawn(process.execPath, args, { cwd: folder, env, stdio: ['ignore', 'pipe', 'ignore'] });
  let hung = false;
  const limit = setTimeout(() => {
    hung = true;
    child.kill();
  }, LIMIT);
  let printed = '';
  child.stdout.setEncoding('utf8').on('data', (data) => {
    printed += data;
  });
  const [code] = await once(child, 'exit');
  clearTimeout(limit);
  await new Promise((resolve) => setImmediate(resolve));
  const tests = new Map([['the process', [hung ? 'hangs' : `exit code ${code}`]]]);
  for (const line of printed.split('\n').filter((line) => line.startsWith('["'))) {
    const [name, state] = JSON.parse(line);
    tests.set(name, [...(tests.get(name) ?? []), state]);
  }
  return tests;
}

/** Two tests of one name may end in any order. */
const same = (a = [], b = []) => [...a].sort().join() === [...b].sort().join();

async function compare(folder, file, applied) {
  const plains = [await run(folder, file, PLAIN, applied)];
  const [plain] = plains;
  const armed = await run(folder, file, ARMED, applied);
  const flaky = [];
  const different = [];
  for (const name of new Set([...plain.keys(), ...armed.keys()])) {
    const isPlainToo = () => plains.some((each) => same(each.get(name), armed.get(name)));
    if (isPlainToo()) continue;
    while (!isPlainToo() && plains.length < REPEATED) plains.push(await run(folder, file, PLAIN, applied));
    const how = `${file}: ${name}: ${plains.map((each) => each.get(name) ?? 'missing').join(', ')} plain, ${armed.get(name) ?? 'missing'} armed`;
    (isPlainToo() ? flaky : different).push(how);
  }
  const states = [...plain].filter(([name]) => name !== 'the process').flatMap(([, states]) => states);
  const count = (state) => states.filter((each) => each === state).length;
  return { passed: count('pass'), failed: count('fail'), skipped: count('skipped'), crashed: 0, flaky, different };
}

const [, , folder, ...suites] = process.argv;
const results = resolve(folder);
for (const suite of suites) {
  const library = here(`node_modules/${suite}`);
  const kept = join(results, suite.replace('/', '-'));
  mkdirSync(kept, { recursive: true });
  const applied = join(kept, 'applied');
  const files = readdirSync(join(library, 'test'), { recursive: true })
    .map((file) => file.replaceAll('\\', '/'))
    .filter((file) => /\.[cm]?js$/.test(file) && !/(^|\/)(helper|fixtures|utils|build|bundler|certs)/.test(file))
    .filter((file) => /\bnode:test\b/.test(readFileSync(join(library, 'test', file), 'utf8')));
  const all = [];
  for (const file of files) {
    const known = join(kept, `${file.replaceAll('/', '-')}.json`);
    if (!existsSync(known)) {
      const begun = `${known}.begun`;
      // Begun twice, and Wine with all that runs in it ended both times.
      const crashes = existsSync(begun) && readFileSync(begun).length >= 2;
      appendFileSync(begun, '+');
      writeFileSync(known, JSON.stringify(crashes ? CRASHED : await compare(library, `test/${file}`, applied)));
    }
    all.push(JSON.parse(readFileSync(known, 'utf8')));
  }
  const sum = (key) => all.reduce((total, each) => total + each[key], 0);
  const list = (key) => all.flatMap((each) => each[key]);
  const sockets = existsSync(applied)
    ? readFileSync(applied, 'utf8')
        .split('\n')
        .reduce((sum, n) => sum + Number(n), 0)
    : 0;
  const numbers = [files.length, sum('passed'), sum('failed'), sum('skipped'), sockets].map((n) =>
    String(n).padStart(7),
  );
  // Where nothing passes, or nothing is armed, nothing is shown.
  const shows = sum('passed') > 0 && sockets > 0;
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
