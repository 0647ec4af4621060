// `npm run bench:arming`, `npm run bench:register`, `npm run bench:start`: a script of
// bench/ on Windows Node, `start` on this system's Node too; sets up what it needs.
// `npm run bench:all`: all of them, their ratios and the sizes of the package appended to
// bench/history.jsonl, and bench/history.svg drawn from it.
//
//   --before REVISION   with `start` and `arming`: measures an older package beside this one
//   --asleep            with `arming`: leaves the processors to sleep in between
//   --node VERSION      another node.exe than the newest
//
// Others are for the script.

import { execFileSync, spawn } from 'node:child_process';
import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { constants, cpus, setPriority } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ARCHITECTURES, buildEverything, NAME } from './build-native.js';
import { isWindows, npm, readJson, root, run, runPackage } from './run.js';
import { NEWEST, runWindowsNode } from './windows-node.js';

const {
  values,
  positionals: [name],
} = parseArgs({
  options: {
    before: { type: 'string' },
    asleep: { type: 'boolean', default: false },
    node: { type: 'string', default: NEWEST },
    seconds: { type: 'string' },
    rounds: { type: 'string' },
  },
  allowPositionals: true,
});
/** The options that a script of bench/ has itself. */
const forScript = ['seconds', 'rounds'].flatMap((option) =>
  values[option] === undefined ? [] : [`--${option}`, values[option]],
);

/** The package as it was, compiled as it was then, in build/before; nothing there without a revision. */
async function buildBefore(revision) {
  const folder = join(root, 'build/before');
  rmSync(folder, { recursive: true, force: true });
  if (revision === undefined) return;
  mkdirSync(folder, { recursive: true });
  await run('git', ['archive', '--output', 'build/before.tar', revision]);
  await run('tar', ['-xf', '../before.tar'], { cwd: folder });
  const compiler = existsSync(join(folder, 'rolldown.config.js'))
    ? ['rolldown/bin/cli.mjs', '--config']
    : ['typescript/bin/tsc', '-p', '.'];
  await runPackage(compiler[0], compiler.slice(1), { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] });
}

/**
 * Keeps each processor busy with what makes way for anything else: one that sleeps in
 * between takes longer to wake up than a connection takes, now and then.
 */
function keepAwake() {
  const spinning = cpus().map(() => spawn(process.execPath, ['-e', 'for (;;);']));
  for (const { pid } of spinning) setPriority(pid, constants.priority.PRIORITY_LOW);
  return () => {
    for (const each of spinning) each.kill();
  };
}

/** Runs a script of bench/. @throws {Error} where it fails */
async function measure(name, args, env = {}) {
  if (name === 'start' && !isWindows && env[FIGURES] === undefined)
    await run(process.execPath, [`bench/${name}.js`, ...args]);
  const letSleep = values.asleep ? () => {} : keepAwake();
  const code = await runWindowsNode(values.node, [`bench/${name}.js`, ...args], { seconds: 1200, env }).finally(
    letSleep,
  );
  if (code !== 0) throw new Error(`bench/${name}.js: exit code ${code}`);
}

const FIGURES = 'LOOPBACK_BENCH_FIGURES';
const SHORT = { arming: ['--seconds', '20'], register: ['--seconds', '20'], start: ['--rounds', '40'] };

/** Bytes of what is published. */
async function sizes() {
  const folder = join(root, 'build');
  await npm(['pack', '--silent', '--ignore-scripts', '--pack-destination', folder], { stdio: 'ignore' });
  const { name, version } = readJson(join(root, 'package.json'));
  const bytes = (file) => statSync(join(root, file)).size;
  const files = [
    ['the tarball', `build/${name}-${version}.tgz`],
    ...ARCHITECTURES.map((arch) => [`the binary for ${arch}`, `prebuilds/win32-${arch}/${NAME}`]),
  ];
  return files.map(([what, file]) => ({ name: `${what}, bytes`, value: bytes(file) }));
}

/** One more line of the history, for the commit that is checked out. */
async function measureAll() {
  const figures = join(root, 'build', 'figures.jsonl');
  rmSync(figures, { force: true });
  for (const [name, args] of Object.entries(SHORT)) await measure(name, args, { [FIGURES]: 'build/figures.jsonl' });
  const measured = readFileSync(figures, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  const git = (...args) => execFileSync('git', args, { cwd: root, encoding: 'utf8' }).trim();
  const step = {
    commit: git('rev-parse', '--short=10', 'HEAD') + (git('status', '--porcelain', '--', 'src', 'native') && '+'),
    date: new Date().toISOString().slice(0, 10),
    system: `Node ${isWindows ? process.version : `v${values.node}`}, ${isWindows ? 'Windows' : 'Wine (not a Windows figure)'}`,
    figures: [...measured, ...(await sizes())],
  };
  appendFileSync(join(root, 'bench', 'history.jsonl'), `${JSON.stringify(step)}\n`);
  await run(process.execPath, ['bench/history.js']);
}

await buildEverything();
await buildBefore(values.before);
if (name === 'all') await measureAll();
else await measure(name, forScript);
