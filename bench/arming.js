// What arming costs: connects per second and echo throughput with and without
// it, interleaved in one run, beside 0, 1,000 and 10,000 other open handles.
// Run it with `npm run bench:arming`. It does not measure what the fast path gains.
//
//   --seconds N   how long each comparison runs (default 5)
//
// Under Wine, which refuses the ioctl, the test recorder answers it, so that
// what is measured is the path taken on Windows.

import { once } from 'node:events';
import net from 'node:net';
import { parseArgs } from 'node:util';
import { enableLoopbackFastPath, getLoopbackFastPathStatus } from 'loopback-fast-path';
import { acceptTheIoctl, binary, compare, medianInterval, record, shown, system } from './measure.js';

const { values } = parseArgs({ options: { seconds: { type: 'string', default: '5' } } });
const milliseconds = Number(values.seconds) * 1000;

acceptTheIoctl();

const echo = net.createServer((socket) => socket.on('error', () => {}).pipe(socket)).listen(0, '127.0.0.1');
await once(echo, 'listening');
const { port } = echo.address();

async function connect(armed) {
  const socket = net.connect({ port, host: '127.0.0.1', noDelay: true });
  if (armed) enableLoopbackFastPath(socket);
  await once(socket, 'connect');
  if (armed && getLoopbackFastPathStatus(socket).state !== 'applied') {
    throw getLoopbackFastPathStatus(socket).error ?? new Error('not applied');
  }
  return socket;
}

/** Seconds for `count` connections, one after the other. */
async function connects(armed, count = 100) {
  const start = process.hrtime.bigint();
  for (let i = 0; i < count; ++i) (await connect(armed)).resetAndDestroy();
  return Number(process.hrtime.bigint() - start) / 1e9;
}

/** Seconds for 16 MiB through an echo, in chunks of 64 KiB. */
async function throughput(armed, size = 16 << 20) {
  const socket = await connect(armed);
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

/** Nanoseconds that finding a SOCKET takes (and the ioctl, which comes out in the difference): of 200, the median. */
async function lookup() {
  const binding = binary();
  const times = [];
  for (let i = 0; i < 200; ++i) {
    const start = process.hrtime.bigint();
    binding.setFastPath(echo._handle, false, 4, 0);
    times.push(Number(process.hrtime.bigint() - start));
  }
  return medianInterval(times);
}

/** How often a time with its interval goes into another, which is the ratio of the speeds. */
const speedOf = ({ value, low, high }, time) => ({ value: time / value, low: time / high, high: time / low });

console.log(`${system()}\n`);
console.log('Ratios of speed, each with its interval of 95 %, beside plain / plain.\n');
console.log(
  'other handles | connects: armed / plain | plain / plain | echo: armed / plain | plain / plain | finding the SOCKET',
);
const channels = [];
let empty;
for (const handles of [0, 1000, 10_000]) {
  // Each channel has two ports, each port a libuv handle.
  while (channels.length * 2 < handles) channels.push(new MessageChannel());
  const rate = await compare(connects, milliseconds);
  const flow = await compare(throughput, milliseconds);
  const found = await lookup();
  empty ??= found;
  const perHandle = handles === 0 ? '' : `, ${((found.value - empty.value) / handles).toFixed(1)} ns per handle`;
  if (handles === 0) {
    record('connects, armed / plain', rate.armed);
    record('echo, armed / plain', flow.armed);
  }
  // A round is of 100 connects.
  if (handles === 10_000)
    record('finding the SOCKET among 10,000 handles / a connect', speedOf(found, rate.plain * 1e7));
  console.log(
    [
      String(handles).padStart(13),
      shown(rate.armed),
      shown(rate.control),
      shown(flow.armed),
      shown(flow.control),
      ` ${(found.value / 1000).toFixed(1)} us${perHandle}`,
    ].join(' | '),
  );
}
for (const { port1, port2 } of channels) {
  port1.close();
  port2.close();
}
echo.close();
process.exit();
