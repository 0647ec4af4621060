// What arming costs: connects per second and echo throughput with and without it,
// interleaved in one run; connects beside idle sockets that are unreferenced, as http.Agent
// keeps them; finding a SOCKET among other handles; and what is kept of a connection.
// Run it with `npm run bench:arming`. It does not measure what the fast path gains.
//
//   --seconds N         how long each comparison runs (default 5)
//   --before REVISION   beside an older package
//   --asleep            on processors that sleep while they wait
//
// Under Wine, which refuses the ioctl, the test recorder answers it, so that
// what is measured is the path taken on Windows.

import { once } from 'node:events';
import net from 'node:net';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import * as now from 'loopback-fast-path';
import {
  acceptTheIoctl,
  binary,
  compare,
  interleave,
  medianInterval,
  olderPackage,
  record,
  shown,
  system,
} from './measure.js';

const { values } = parseArgs({ options: { seconds: { type: 'string', default: '5' } } });
const milliseconds = Number(values.seconds) * 1000;
const MANY = 10_000;

acceptTheIoctl();

const echo = net.createServer((socket) => socket.on('error', () => {}).pipe(socket)).listen(0, '127.0.0.1');
await once(echo, 'listening');
const { port } = echo.address();

const older = olderPackage();
const before = older && (await import(pathToFileURL(older.imported)));

/** @param fastPath the package to arm it with, if it is to be armed */
async function connect(fastPath) {
  const socket = net.connect({ port, host: '127.0.0.1', noDelay: true });
  fastPath?.enableLoopbackFastPath(socket);
  await once(socket, 'connect');
  return socket;
}

/** Seconds for a connection. */
async function connecting(fastPath) {
  const start = process.hrtime.bigint();
  const socket = await connect(fastPath);
  const seconds = Number(process.hrtime.bigint() - start) / 1e9;
  const status = fastPath?.getLoopbackFastPathStatus(socket) ?? { state: 'applied' };
  if (status.state !== 'applied') throw status.error ?? new Error('not applied');
  socket.resetAndDestroy();
  await once(socket, 'close');
  return seconds;
}

/** Seconds for 16 MiB through an echo, in chunks of 64 KiB. */
async function throughput(fastPath, size = 16 << 20) {
  const socket = await connect(fastPath);
  const chunk = Buffer.alloc(1 << 16);
  const start = process.hrtime.bigint();
  let received = 0;
  const all = new Promise((resolve) => {
    socket.on('data', (data) => {
      received += data.length;
      if (received === size) resolve();
    });
  });
  for (let sent = 0; sent < size; sent += chunk.length) if (!socket.write(chunk)) await once(socket, 'drain');
  await all;
  const seconds = Number(process.hrtime.bigint() - start) / 1e9;
  socket.destroy();
  return seconds;
}

/** A socket that waits for its name for ever: a TCP handle like any other, without its SOCKET. */
function idle() {
  return net.connect({ host: 'nobody.invalid', port: 1, lookup: () => {} });
}

/** Nanoseconds that finding the SOCKET of a handle takes: of 400, the median. */
function lookup() {
  const binding = binary();
  const socket = idle();
  const times = [];
  for (let i = 0; i < 400; ++i) {
    const start = process.hrtime.bigint();
    // It is found, and then, because it is to be an IPv6 one, nothing is asked of Winsock.
    const found = binding.setFastPath(socket._handle, false, 6, 0);
    times.push(Number(process.hrtime.bigint() - start));
    if (found !== 'ipv6') throw new Error(`${found}`);
  }
  socket.destroy();
  return medianInterval(times);
}

/** Bytes on the heap for each of `count` open connections, both ends. */
async function retained(fastPath, count = 1000) {
  const used = () => {
    collectGarbage();
    return process.memoryUsage().heapUsed;
  };
  const atFirst = used();
  const sockets = [];
  for (let i = 0; i < count; ++i) sockets.push(await connect(fastPath));
  const bytes = (used() - atFirst) / count;
  await Promise.all(
    sockets.map((socket) => {
      const closed = once(socket, 'close');
      socket.resetAndDestroy();
      return closed;
    }),
  );
  return bytes;
}

const inMicroseconds = ({ value, low, high }) => ({ value: value / 1000, low: low / 1000, high: high / 1000 });
/** How often a time with its interval goes into another, which is the ratio of the speeds. */
const speedOf = ({ value, low, high }, time) => ({ value: time / value, low: time / high, high: time / low });

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc');

console.log(`${system()}\n`);
console.log('Ratios of speed, each with its interval of 95 %, armed / plain, beside plain / plain:');
for (let i = 0; i < 300; ++i) await connecting(now);
const flow = await compare(throughput, milliseconds, { armed: now });
console.log(`  echo: ${shown(flow.armed)}, ${shown(flow.control)}`);
record('echo, armed / plain', flow.armed);

const idles = [];
let rate;
for (const count of [0, 1000, MANY]) {
  while (idles.length < count) idles.push(idle().unref());
  rate = await compare(connecting, milliseconds, { armed: now, before });
  const one = `of ${rate.rounds}, a plain one takes ${(rate.plain * 1e6).toFixed(0)} us`;
  const beside = count === 0 ? '' : ` beside ${count} idle sockets, unreferenced`;
  console.log(`  connects${beside}; ${one}:`);
  for (const [how, { armed, control, before }] of Object.entries({ mean: rate, median: rate.ofMedians })) {
    const older = before ? `; by the older package ${shown(before)}` : '';
    console.log(`    by the ${how}: ${shown(armed)}, ${shown(control)}${older}`);
    if (count === 0) record(`connects, armed / plain, by the ${how}`, armed);
  }
}

console.log('\nFinding a SOCKET, medians with their intervals of 95 %:');
const unreferenced = lookup();
for (const each of idles) each.ref();
const referenced = lookup();
for (const each of idles.splice(0)) await once(each.destroy(), 'close');
const alone = lookup();
const channels = Array.from({ length: MANY / 2 }, () => new MessageChannel());
const ports = lookup();
for (const { port1 } of channels) port1.close();
console.log(`  alone: ${shown(inMicroseconds(alone), 1)} us`);
for (const [what, found] of Object.entries({
  'TCP handles': referenced,
  'unreferenced TCP handles': unreferenced,
  'unreferenced MessagePorts': ports,
})) {
  const each = Object.fromEntries(Object.entries(found).map(([key, time]) => [key, (time - alone.value) / MANY]));
  console.log(`  among ${MANY} ${what}: ${shown(inMicroseconds(found), 1)} us, ${shown(each, 1)} ns for each`);
}
record('finding the SOCKET among 10,000 handles / a connect', speedOf(unreferenced, rate.plain * 1e9));

const bytes = await interleave({ plain: () => retained(), armed: () => retained(now) }, { rounds: 20 });
const more = bytes.armed.map((each, round) => each - bytes.plain[round]);
console.log(`\nKept of each armed connection beyond a plain one: ${shown(medianInterval(more), 0)} bytes of heap`);
echo.close();
process.exit();
