// Connections armed on both ends, many at a time, with every way to end mixed in
// at random; then everything must be as before. Run it with `npm run soak`.
//
//   --connections N   how many (default 200000)
//   --seed N          of the random choices (default 1)
//   --faults          the ioctl fails at random with each documented code, for listeners
//                     too, and with layered providers (R9); on Windows as well it is then
//                     the recorder that answers

import { once } from 'node:events';
import { createRequire } from 'node:module';
import net from 'node:net';
import { parseArgs } from 'node:util';
import { enableLoopbackFastPath, getLoopbackFastPathStatus } from 'loopback-fast-path';
import { recorder as answering } from '../support/answered.mjs';

const { values } = parseArgs({
  options: {
    connections: { type: 'string', default: '200000' },
    seed: { type: 'string', default: '1' },
    faults: { type: 'boolean', default: false },
  },
});
const recorder = values.faults ? createRequire(import.meta.url)('../support/accept.cjs') : answering;
const total = Number(values.connections);
const seed = Number(values.seed);
const AT_A_TIME = 32;
// The second half of a run must take no more than the first: by then everything
// is loaded, compiled and grown to its size. In short runs it is not.
const HALF = Math.floor(total / 2);
const JUDGED_FROM = 100_000;
const ALLOWED_GROWTH = 8 * 2 ** 20;

if (!Number.isInteger(total) || total < 1000) throw new RangeError('--connections must be a number of 1000 or more');
if (!Number.isInteger(seed) || seed < 1) throw new RangeError('--seed must be a number of 1 or more');
if (typeof gc !== 'function') throw new Error('run it with --expose-gc');

const problems = [];
process.on('unhandledRejection', (reason) => problems.push(`unhandled rejection: ${reason}`));
process.on('uncaughtException', (error) => problems.push(`uncaught exception: ${error.stack}`));

/** Random choices of the nth connection, the same in every run with this seed. */
function choices(n) {
  let state = (Math.imul(seed, 0x9e3779b1) ^ Math.imul(n + 1, 0x85ebca6b)) >>> 0 || 1;
  return (limit) => {
    // xorshift32
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % limit;
  };
}

const wrong = (what) => problems.push(what);
const pattern = Buffer.from(Array.from({ length: 65_536 + 251 }, (_, index) => index % 251));
const counts = { whole: 0, 'half-close': 0, destroy: 0, abort: 0, 'server abort': 0, refused: 0 };
let bytes = 0;

// E1 to E10.
const CODES = {
  WSA_IO_PENDING: 997,
  WSA_OPERATION_ABORTED: 995,
  WSAEACCES: 10013,
  WSAEFAULT: 10014,
  WSAEINPROGRESS: 10036,
  WSAEINTR: 10004,
  WSAEINVAL: 10022,
  WSAENETDOWN: 10050,
  WSAENOTSOCK: 10038,
  WSAEOPNOTSUPP: 10045,
};
const LAYERS = { none: 0, layered: 0x100000, silent: 0xffffffff };
const NO_FAULT = { code: undefined, required: false, options: undefined };
const faults = Object.fromEntries(['none', ...Object.keys(CODES)].map((code) => [code, 0]));
const above = { layered: 0, silent: 0 };

/** What becomes of one SOCKET: the code that its ioctl fails with, and the options that see to it. */
function fault(random) {
  const [layer, offset] = pick(Object.entries(LAYERS), random);
  const first = answerAtRandom(random);
  // Who does not know the ioctl is asked below, if it says what is there.
  const asked = first === 'WSAEOPNOTSUPP' && layer === 'layered' ? [first, answerAtRandom(random)] : [first];
  const code = asked.at(-1);
  faults[code ?? 'none'] += 1;
  if (layer !== 'none') above[layer] += 1;
  const required = random(4) === 0;
  const shouldApply = () => {
    // Right before the ioctl of this SOCKET; another one is WSA_INVALID_HANDLE, and shows as wrong.
    recorder.setLayer(offset);
    recorder.setAnswers(
      recorder.calls.indexOf('WSAIoctl'),
      asked.map((name) => CODES[name] ?? 0),
      6,
    );
    return true;
  };
  return { code, required, options: { required, shouldApply } };
}

const pick = (list, random) => list[random(list.length)];
const answerAtRandom = (random) => (random(2) === 0 ? undefined : pick(Object.keys(CODES), random));

/** Whether a socket or server is what the fault makes of it. */
function check(target, { code }) {
  const { state, error } = getLoopbackFastPathStatus(target);
  const expected = code === undefined ? 'applied' : `failed ${code}`;
  const found = error === undefined ? state : `${state} ${error.code}`;
  if (found !== expected) wrong(`${target instanceof net.Server ? 'a listener' : 'a connection'} is ${found}`);
}

/** An echo server that aborts a connection whose first byte is 251. */
function echo() {
  return net.createServer({ allowHalfOpen: true }, (socket) => {
    // Whoever aborts makes the other end fail.
    socket.on('error', () => {});
    socket.on('data', (data) => {
      if (data[0] === 251) socket.resetAndDestroy();
      else if (!socket.write(data)) socket.pause();
    });
    socket.on('drain', () => socket.resume());
    socket.on('end', () => socket.end());
  });
}

const server = echo();
enableLoopbackFastPath(server);
server.listen(0, '127.0.0.1');
await once(server, 'listening');
if (getLoopbackFastPathStatus(server).state !== 'applied') throw new Error('the listener is not armed');
const { port } = server.address();

/** A port on which nobody listens: this one is bound and never listens. */
const nobody = net._createServerHandle('127.0.0.1', 0, 4);
const address = {};
nobody.getsockname(address);

/** The next byte of the pattern that must come back, over and over. */
function verify(socket, size) {
  let received = 0;
  socket.on('data', (data) => {
    if (Buffer.compare(data, pattern.subarray(received, received + data.length)) !== 0) wrong('a byte came back wrong');
    received += data.length;
    bytes += data.length;
  });
  socket.once('end', () => {
    if (received !== size) wrong(`${received} bytes of ${size} came back`);
  });
}

/** A listener of one connection's own, with a fault; undefined where it was required not to be. */
async function listener(random) {
  const own = echo();
  const fails = fault(random);
  enableLoopbackFastPath(own, fails.options);
  const error = await new Promise((resolve) => own.on('error', resolve).listen(0, '127.0.0.1', () => resolve()));
  listeners += 1;
  check(own, fails);
  const expected = fails.required ? fails.code : undefined;
  if (error?.code !== expected) wrong(`a listener: ${error ?? 'no error'}`);
  if (error === undefined) return own;
  if (own.listening) wrong('a listener that must not be');
  return undefined;
}

let listeners = 0;
let prevented = 0;

/** One connection, from making it to 'close'. */
async function connection(n) {
  const random = choices(n);
  const own = values.faults && random(20) === 0 ? await listener(random) : undefined;
  const fails = values.faults ? fault(random) : NO_FAULT;
  const kinds = Object.keys(counts);
  // Few, because Windows tries for 2 s before it says so.
  const kind = random(50) === 0 ? 'refused' : kinds[random(kinds.length - 1)];
  counts[kind] += 1;
  const size = 1 + random(random(20) === 0 ? 65_536 : 2048);
  const to = own?.address().port ?? port;
  const socket = net.connect(kind === 'refused' ? address.port : to, '127.0.0.1');
  enableLoopbackFastPath(socket, fails.options);
  const closed = new Promise((resolve) => socket.once('close', resolve));
  let error;
  socket.on('error', (cause) => {
    error = cause;
  });
  socket.once('connect', () => {
    check(socket, fails);
    switch (kind) {
      case 'whole':
        verify(socket, size);
        socket.write(pattern.subarray(0, size));
        socket.end();
        break;
      case 'half-close':
        // Everything comes back after this end has said all.
        verify(socket, size);
        socket.end(pattern.subarray(0, size));
        break;
      case 'destroy':
        socket.write(pattern.subarray(0, size));
        setImmediate(() => socket.destroy());
        break;
      case 'abort':
        socket.write(pattern.subarray(0, size));
        socket.resetAndDestroy();
        break;
      case 'server abort':
        socket.resume();
        socket.write(Buffer.of(251));
        break;
    }
  });
  // Some never get as far as connecting.
  if (kind === 'destroy' && random(4) === 0) setImmediate(() => socket.destroy());
  await closed;
  if (own !== undefined) await new Promise((resolve) => own.close(resolve));
  const isPrevented = fails.required && fails.code !== undefined;
  if (isPrevented) prevented += 1;
  const expected = isPrevented ? fails.code : { refused: 'ECONNREFUSED', 'server abort': 'ECONNRESET' }[kind];
  if (error?.code !== expected) wrong(`${kind}: ${error ?? 'no error'}`);
}

let begun = 0;
let done = 0;
let peak = 0;
async function lane(until) {
  while (begun < until && problems.length === 0) {
    await connection(begun++);
    done += 1;
    if (done % 500 === 0) peak = Math.max(peak, process.memoryUsage.rss());
    if (done % 10_000 === 0) console.log(`${done} done, RSS ${mebibytes(process.memoryUsage.rss())} MiB`);
  }
}

const mebibytes = (size) => (size / 2 ** 20).toFixed(1);

/** What must not grow, once what ends has ended. */
async function take() {
  for (let tries = 0; tries < 100; ++tries) {
    const open = process.getActiveResourcesInfo().filter((name) => name.startsWith('TCP')).length;
    if (open <= 1) break;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  for (let i = 0; i < 3; ++i) gc();
  return {
    sockets: recorder?.openSockets(),
    handles: process.getActiveResourcesInfo().filter((name) => name.startsWith('TCP')).length,
    heap: process.memoryUsage().heapUsed,
  };
}

/** Runs up to that connection, and tells the most memory that it took. */
async function run(until) {
  peak = 0;
  await Promise.all(Array.from({ length: AT_A_TIME }, () => lane(until)));
  return peak;
}

console.log(
  `Node ${process.version}, ${recorder ? 'Wine (not a Windows figure)' : 'Windows'}: ${total} connections, ${AT_A_TIME} at a time, seed ${seed}`,
);
const before = await take();
const start = Date.now();
const first = await run(HALF);
const half = await take();
const second = await run(total);
const after = await take();
const seconds = (Date.now() - start) / 1000;

console.log(counts);
if (values.faults) {
  console.log(`${listeners} listeners of their own; what the ioctl failed with:`, faults, 'layered providers:', above);
  console.log(`${prevented} connections were required to have it and were prevented`);
}
console.log(`${mebibytes(bytes)} MiB verified, ${(total / seconds).toFixed(0)} connections/s, ${seconds.toFixed(0)} s`);
for (const [when, { sockets, handles, heap }] of Object.entries({ before, half, after })) {
  console.log(`${when}: ${sockets ?? '?'} SOCKETs, ${handles} handles, heap ${mebibytes(heap)} MiB`);
}
console.log(`most memory (RSS): first half ${mebibytes(first)} MiB, second half ${mebibytes(second)} MiB`);
if (after.handles !== before.handles) wrong('handles are left');
if (after.sockets !== before.sockets) wrong('SOCKETs are left');
if (after.heap > half.heap + ALLOWED_GROWTH) wrong('the heap has grown');
if (total < JUDGED_FROM) console.log(`memory is judged from ${JUDGED_FROM} connections on`);
else if (second > first + ALLOWED_GROWTH) wrong('the memory has grown');
for (const problem of new Set(problems)) console.log(`WRONG: ${problem}`);
console.log(problems.length === 0 ? 'Everything came back.' : `${problems.length} problems`);
process.exit(problems.length === 0 ? 0 : 1);
