// What it costs to load the package: files, milliseconds of import and require(), the
// start of a process with the preload module, and the first armed connect. Each kind is
// a process of its own, in rounds by chance. `npm run bench:start` runs it on this
// system's Node and, elsewhere than on Windows, on node.exe under Wine.
//
//   --rounds N   how many processes are started of each kind (default 40)
//
// Where build/before holds an older package (`npm run bench:start -- --before REVISION`
// makes it), that is measured beside it.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { interleave, medianInterval, olderPackage, onWine, record, shown, speedRatio, system } from './measure.js';

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '40' } } });
const rounds = Number(values.rounds);
const root = fileURLToPath(new URL('..', import.meta.url));
const before = olderPackage();
const folder = mkdtempSync(join(tmpdir(), 'bench-'));

function file(name, text = '') {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
}

/** Runs a program with this Node; what it prints. */
function run(args) {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  return stdout;
}

/** Seconds from the start of a process to its end. */
function start(...args) {
  const begin = process.hrtime.bigint();
  run(args);
  return Number(process.hrtime.bigint() - begin) / 1e9;
}

const CLOCK = "const { performance } = process.getBuiltinModule('node:perf_hooks'); let begin = performance.now();";
const SAY = 'process.stdout.write(String((performance.now() - begin) / 1000));';

/** Programs that say how many seconds a part of them took. */
function programs(name, index, indexRequired) {
  const importing = file(`${name}-import.mjs`, `${CLOCK} await import('${pathToFileURL(index)}'); ${SAY}`);
  const requiring = file(`${name}-require.cjs`, `${CLOCK} require(${JSON.stringify(indexRequired)}); ${SAY}`);
  const connecting = file(
    `${name}-connect.cjs`,
    `const net = require('node:net');
    ${onWine ? `require(${JSON.stringify(join(root, 'test/support/accept.cjs'))});` : ''}
    const server = net.createServer().listen(0, '127.0.0.1', () => {
      ${CLOCK}
      const { tryEnableLoopbackFastPath } = require(${JSON.stringify(indexRequired)});
      const socket = net.connect(server.address().port, '127.0.0.1', () => { ${SAY} process.exit(); });
      tryEnableLoopbackFastPath(socket);
    });`,
  );
  return {
    [`import${name}`]: () => Number(run([importing])),
    [`require()${name}`]: () => Number(run([requiring])),
    [`load and first armed connect${name}`]: () => Number(run([connecting])),
  };
}

/** Seconds that loading a file takes, as the process tells itself: exacter than from its start to its end. */
function loading(name, loaded) {
  const program = file(`loading-${name}.cjs`, `${CLOCK} require(${JSON.stringify(loaded)}); ${SAY}`);
  return () => Number(run([program]));
}

/** The files of the package that a program opens, on a Node that can tell. */
function filesOpened(program) {
  const counter = file(
    'count.cjs',
    `const { registerHooks } = require('node:module');
    const seen = new Set();
    registerHooks({ load(url, context, next) { if (/dist.[^/]+js$|[.]node$/.test(url)) seen.add(url); return next(url, context); } });
    process.on('exit', () => console.log([...seen].map((url) => url.replace(/.*[/]/, '')).join(' ')));`,
  );
  return run(['--require', counter, program]).trim();
}

console.log(system());
const hasHooks = 'registerHooks' in process.getBuiltinModule('node:module');
if (hasHooks) {
  console.log(
    `import opens:           ${filesOpened(file('i.mjs', "await import('loopback-fast-path')".replace("'loopback-fast-path'", `'${pathToFileURL(join(root, 'dist/node.mjs'))}'`)))}`,
  );
  console.log(
    `require() opens:        ${filesOpened(file('r.cjs', `require(${JSON.stringify(join(root, 'dist/index.cjs'))})`))}`,
  );
  console.log(
    `the preload module:     ${filesOpened(file('p.cjs', `require(${JSON.stringify(join(root, 'dist/register.cjs'))})`))}`,
  );
}

const empty = file('empty.cjs');
const preload = (register) => () => start('--require', register, empty);
const results = await interleave(
  {
    'an empty program': () => start(empty),
    'an empty file preloaded': preload(file('preloaded.cjs')),
    'another empty file preloaded': preload(file('control.cjs')),
    'register preloaded': preload(join(root, 'dist/register.cjs')),
    'an empty file loaded': loading('empty', file('loaded.cjs')),
    'another empty file loaded': loading('control', file('loaded-too.cjs')),
    'register loaded': loading('register', join(root, 'dist/register.cjs')),
    ...programs('', join(root, 'dist/node.mjs'), join(root, 'dist/index.cjs')),
    ...(before && {
      'register preloaded, before': preload(before.preloaded),
      ...programs(', before', before.imported, before.required),
    }),
  },
  { rounds },
);

console.log(`\n${rounds} rounds; medians with their intervals of 95 %, in milliseconds`);
const milliseconds = (seconds) => shown(medianInterval(seconds.map((each) => each * 1000)), 1);
const over = (name, baseline) => milliseconds(results[name].map((each, round) => each - results[baseline][round]));
for (const name of Object.keys(results)) console.log(`${name.padEnd(36)} ${milliseconds(results[name])}`);
for (const how of ['preloaded', 'loaded']) {
  console.log(`\nover an empty file ${how}:`);
  for (const name of Object.keys(results).filter((each) => each.includes(` ${how}`) && !each.startsWith('an '))) {
    console.log(`${name.padEnd(36)} ${over(name, `an empty file ${how}`)}`);
  }
}
if (before) {
  console.log('\ntime now / time before:');
  for (const name of ['import', 'require()', 'load and first armed connect']) {
    console.log(`${name.padEnd(36)} ${shown(speedRatio(results[`${name}, before`], results[name]))}`);
  }
}
// Of speed, as everywhere: less than 1 is what the package costs.
record(
  'start, register preloaded / an empty file',
  speedRatio(results['register preloaded'], results['an empty file preloaded']),
);
for (const name of ['import', 'require()', 'load and first armed connect']) {
  record(`${name} / start of an empty program`, speedRatio(results[name], results['an empty program']));
}
if (onWine) console.log('\nUnder Wine a file costs what it costs there: not a Windows figure.');
rmSync(folder, { recursive: true, maxRetries: 10 });
