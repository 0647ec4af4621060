// Programs that nobody here wrote, each plain and armed: what they print, how they end
// and what became of their SOCKETs must not differ. Runs on Windows Node, prints a line
// for each, and leaves it in the folder RESULTS; what is there already is not run again.
//
//   node test/strangers/main.mjs RESULTS NAME …

import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { isDeepStrictEqual } from 'node:util';
import { hasCrashedWine, required, runToItsEnd } from '../support/strangers.mjs';
import { summary } from './sockets.mjs';

const NODE = Number(process.versions.node.split('.')[0]);
const MOST_PLAIN_RUNS = 5;

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const RECORDED = required(here('../support/recorded.cjs'));
const REGISTERED = required(here('../../dist/register.cjs'));
const ACCEPTED = '0';
// The package asks once whether the system knows it; then every SOCKET gets WSAEINVAL.
const REFUSED = '0,10022';

/** How a program is run; `agent` is a monitoring agent, loaded before it. */
const MODES = {
  plain: { answer: ACCEPTED, flags: ({ agent }) => agent },
  registered: { answer: ACCEPTED, options: REGISTERED, flags: ({ agent }) => agent, isArmed: true },
  'agent first': {
    ...{ answer: ACCEPTED, isArmed: true },
    flags: ({ agent }) => [...agent, `--import=${pathToFileURL(here('../../dist/register.cjs'))}`],
  },
  refused: { answer: REFUSED, options: REGISTERED, flags: ({ agent }) => agent, isArmed: true },
  context: { answer: ACCEPTED, flags: ({ agent }) => [...agent, here('in-context.mjs')], isArmed: true },
};

/** What there is to know of a program. */
function describe(name) {
  const agent = here(`programs/${name}.agent.mjs`);
  const source = readFileSync(here(`programs/${name}.mjs`), 'utf8');
  const contextSince = Number(/^\/\/ By context: Node (\d+) or newer/m.exec(source)?.[1] ?? 0);
  const isByContext = !source.includes('// Not by context') && NODE >= contextSince;
  return {
    name,
    file: here(`programs/${name}.mjs`),
    agent: existsSync(agent) ? [`--import=${pathToFileURL(agent)}`] : [],
    // What it cannot do without: servers, or a newer Node.
    missing: [...new Set(source.match(/LOOPBACK_TEST_[A-Z]+/g))].filter((name) => !process.env[name]),
    oldestNode: Number(/^\/\/ .*\. Node (\d+) or newer/m.exec(source)?.[1] ?? 0),
    mayFail: source.includes('process.exitCode'),
    modes: [
      'registered',
      ...(existsSync(agent) ? ['agent first'] : []),
      'refused',
      ...(isByContext ? ['context'] : []),
    ],
  };
}

/** Runs a program to its end, and tells what there was to see. */
async function run(program, { answer, options = '', flags, isArmed = false }) {
  const calls = mkdtempSync(join(tmpdir(), 'strangers-calls-'));
  const env = {
    ...process.env,
    NODE_OPTIONS: `${RECORDED} ${options}`,
    LOOPBACK_TEST_CALLS: calls,
    LOOPBACK_TEST_ANSWER: answer,
  };
  const { end, stdout, stderr } = await runToItsEnd([...flags(program), program.file], { env });
  const records = readdirSync(calls).map((name) => JSON.parse(readFileSync(join(calls, name), 'utf8')));
  rmSync(calls, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  const { problems, ...sockets } = summary(records, isArmed);
  const [out, err] = [stdout, stderr].map((text) => text.replaceAll(/\(node:\d+\)/g, '(node)'));
  return { seen: { end, stdout: out, stderr: err, ...sockets }, problems };
}

/** Sockets that a plain run leaves over may be closed in time in an armed one. */
function isAsPlain(key, plain, armed) {
  return key === 'left' ? armed.left <= plain.left : isDeepStrictEqual(plain[key], armed[key]);
}

async function examine(program) {
  const plains = [(await run(program, MODES.plain)).seen];
  const [plain] = plains;
  const found = [];
  const varying = new Set();
  // A stranger that fails by itself shows nothing.
  if (plain.stdout === '' || (plain.end !== 'exit code 0' && !program.mayFail)) {
    found.push(`  plain: ${plain.end}, and prints ${JSON.stringify(plain.stdout)} ${plain.stderr}`);
  }
  for (const name of program.modes) {
    const { seen, problems } = await run(program, MODES[name]);
    found.push(...problems.map((problem) => `  ${name}: ${problem}`));
    for (const key of Object.keys(plain).filter((key) => !isAsPlain(key, plain, seen))) {
      // Does it come out so when nothing is armed, too?
      while (!plains.some((each) => isAsPlain(key, each, seen)) && plains.length < MOST_PLAIN_RUNS) {
        plains.push((await run(program, MODES.plain)).seen);
      }
      if (plains.some((each) => isAsPlain(key, each, seen))) varying.add(key);
      else found.push(`  ${name}: ${key}: ${JSON.stringify(plain[key])} plain, ${JSON.stringify(seen[key])} armed`);
    }
  }
  const numbers = [plain.connects, plain.listens, plain.others, plain.left].map((n) => String(n).padStart(6));
  const varies = varying.size > 0 ? `; varies plain, too: ${[...varying].join(', ')}` : '';
  const verdict = found.length > 0 ? 'DIFFERENT' : `same ${program.modes.length} times${varies}`;
  return [`${[plain.end.padEnd(12), ...numbers].join(' ')}   ${verdict}`, ...found];
}

/** The line for a program, and one for each difference. */
async function judge(program) {
  const { missing, oldestNode } = program;
  if (missing.length > 0) return [`not run: no ${missing.join(', ')}`];
  if (NODE < oldestNode) return [`not run: wants Node ${oldestNode}`];
  return examine(program);
}

const [, , results, ...names] = process.argv;

for (const name of names) {
  const file = join(results, `${name}.txt`);
  if (existsSync(file)) continue;
  const crashes = hasCrashedWine(join(results, `${name}.begun`));
  const [line, ...found] = crashes ? ["not run: Wine's own server crashes"] : await judge(describe(name));
  const report = [`${name.padEnd(20)} ${line}`, ...found, ''].join('\n');
  process.stdout.write(report);
  writeFileSync(file, report);
}
