// What a registration costs: the start of a process, its first socket, and each
// connection, with and without it, interleaved in one run. Run it with
// `npm run bench:register`. It does not measure what the fast path gains.
//
//   --starts N    how many processes are started of each kind (default 40)
//   --seconds N   how long connections are compared (default 10)

import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { registerLoopbackFastPath } from 'loopback-fast-path';
import { acceptTheIoctl, compare, median, onWine, system } from './measure.js';

const { values } = parseArgs({
  options: { starts: { type: 'string', default: '40' }, seconds: { type: 'string', default: '10' } },
});
const root = fileURLToPath(new URL('..', import.meta.url));
const preload = 'loopback-fast-path/register';
const folder = mkdtempSync(join(tmpdir(), 'bench-'));
// What it costs to preload anything.
const empty = join(folder, 'empty.cjs');
writeFileSync(empty, '');

/** Milliseconds from the start of a process to its end. */
function start(flags) {
  const begin = process.hrtime.bigint();
  const { status, stderr } = spawnSync(process.execPath, [...flags, '--eval', '0'], { cwd: root });
  if (status !== 0) throw new Error(String(stderr));
  return Number(process.hrtime.bigint() - begin) / 1e6;
}

/** Milliseconds that an expression says it took, in a process of its own. */
function inProcess(program) {
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=commonjs', '--eval', program], { cwd: root });
  if (stdout.length === 0) throw new Error(String(stderr));
  return Number(stdout);
}

console.log(system());
const kinds = {
  none: [],
  '--require, empty file': ['--require', empty],
  '--require': ['--require', preload],
  '--import, empty file': ['--import', pathToFileURL(empty).href],
  '--import': ['--import', preload],
};
const times = Object.fromEntries(Object.keys(kinds).map((kind) => [kind, []]));
for (let i = 0; i < Number(values.starts); ++i) {
  for (const [kind, flags] of Object.entries(kinds)) times[kind].push(start(flags));
}
console.log('\nstart of a process    | median ms | over none, median of pairs');
for (const [kind, all] of Object.entries(times)) {
  const over = median(all.map((time, index) => time - times.none[index]));
  console.log(`${kind.padEnd(21)} | ${median(all).toFixed(1).padStart(9)} | ${over.toFixed(1).padStart(10)}`);
}

const CLOCK = 'const { performance } = require("node:perf_hooks"); let begin = performance.now();';
const SAY = 'process.stdout.write(String(performance.now() - begin));';
const repeated = (program) => median(Array.from({ length: 15 }, () => inProcess(program))).toFixed(1);
const LISTEN = 'require("node:net").createServer().listen(0, "127.0.0.1").close();';
const load = `require('${preload}');`;
console.log(`\nloading the preload module: ${repeated(`${CLOCK} ${load} ${SAY}`)} ms`);
console.log(`first listen() without it:  ${repeated(`${CLOCK} ${LISTEN} ${SAY}`)} ms`);
console.log(`first listen() with it:     ${repeated(`${load} ${CLOCK} ${LISTEN} ${SAY}`)} ms`);

acceptTheIoctl();
const echo = net.createServer((socket) => socket.on('error', () => {})).listen(0, '127.0.0.1');
await once(echo, 'listening');

/** Seconds for `count` connections, one after the other. */
async function connects(registered, count = 100) {
  const unregister = registered ? registerLoopbackFastPath() : undefined;
  const begin = process.hrtime.bigint();
  for (let i = 0; i < count; ++i) {
    const socket = net.connect(echo.address().port, '127.0.0.1');
    await once(socket, 'connect');
    socket.resetAndDestroy();
  }
  const seconds = Number(process.hrtime.bigint() - begin) / 1e9;
  unregister?.();
  return seconds;
}

const { plain, ratio, pairs } = await compare(connects, Number(values.seconds) * 1000);
console.log(
  `\nconnections per second without: ${(100 / plain).toFixed(0)}; with / without: ${ratio.toFixed(3)} (${pairs} pairs)`,
);
if (onWine) console.log('Under Wine files and connections cost what they cost there: not a Windows figure.');
rmSync(folder, { recursive: true, maxRetries: 10 });
process.exit();
