import { once } from 'node:events';
import * as net from 'node:net';
import {
  enableLoopbackFastPath,
  getLoopbackFastPathStatus,
  isLoopbackFastPathError,
  LoopbackFastPathError,
  type probeLoopbackFastPath,
  tryEnableLoopbackFastPath,
  type WINSOCK_ERROR_CODES,
} from 'loopback-fast-path';
import { describe, expect, test, vi } from 'vitest';
import {
  ASK_THE_SYSTEM,
  answer,
  connectStories,
  fastPathCalls,
  layerProviders,
  listenStories,
  SIO_BASE_HANDLE,
  take,
  useRecorder,
} from '../support/recorder.js';
import { closing, echo, exchange, failure, listening, thrown } from '../support/sockets.js';

useRecorder();

// E1 to E10, one that the Winsock list has but the ioctl's page does not, and one that nobody has.
const codes: [string, number][] = [
  ['WSA_IO_PENDING', 997],
  ['WSA_OPERATION_ABORTED', 995],
  ['WSAEACCES', 10013],
  ['WSAEFAULT', 10014],
  ['WSAEINPROGRESS', 10036],
  ['WSAEINTR', 10004],
  ['WSAEINVAL', 10022],
  ['WSAENETDOWN', 10050],
  ['WSAENOTSOCK', 10038],
  ['WSAEOPNOTSUPP', 10045],
  ['WSAENOBUFS', 10055],
  ['WSA_12345', 12345],
];

/** The module that asks once in a thread, anew. */
async function freshProbe(): Promise<typeof probeLoopbackFastPath> {
  const url = import.meta.resolve('loopback-fast-path');
  // The entry point says where the binary is.
  await import(/* @vite-ignore */ url);
  const module = await import(/* @vite-ignore */ url.replace('index.js', `fast-path.js?${Math.random()}`));
  return module.probeLoopbackFastPath;
}

describe.each(codes)('%s (%i)', (code, errno) => {
  const ERROR = { name: 'LoopbackFastPathError', code, errno, syscall: 'WSAIoctl' };

  test('of the probe', async () => {
    const probeLoopbackFastPath = await freshProbe();
    answer(errno);
    take();
    const probe = probeLoopbackFastPath();
    expect(probe).toMatchObject({ supported: false, error: ERROR });
    const calls = take();
    expect(fastPathCalls(calls)).toHaveLength(1);
    expect(calls.map(({ call }) => call)).toEqual(
      // The base provider is asked for where the code says "not supported" (R9).
      errno === 10045 ? ['socket', 'WSAIoctl', 'WSAIoctl', 'closesocket'] : ['socket', 'WSAIoctl', 'closesocket'],
    );
    expect(probeLoopbackFastPath()).toBe(probe);
    expect(take()).toHaveLength(0);
  });

  test('of a client: traffic flows', async () => {
    answer(errno);
    const socket = closing(net.connect(await echo(), '127.0.0.1'));
    enableLoopbackFastPath(socket);
    await once(socket, 'connect');
    expect(await exchange(socket)).toBe('ping');
    const status = getLoopbackFastPathStatus(socket);
    expect(status).toMatchObject({ state: 'failed', error: ERROR });
    expect(connectStories(take())).toEqual([['bind 0.0.0.0', 'fast path on', 'ConnectEx 127.0.0.1']]);
    const { error } = status as { error: LoopbackFastPathError };
    expect(error).toBeInstanceOf(LoopbackFastPathError);
    expect(error.message).toContain(`WSAIoctl ${code} (${errno})`);
    expect(error.message).toMatch(/\. [A-Z].*\.$/);
    expect(isLoopbackFastPathError(error, code as keyof typeof WINSOCK_ERROR_CODES)).toBe(true);
    expect(isLoopbackFastPathError(error, 'WSAEALREADY')).toBe(false);
  });

  test('of a required client: destroyed with it', async () => {
    answer(errno);
    const socket = closing(net.connect(await echo(), '127.0.0.1'));
    enableLoopbackFastPath(socket, { required: true });
    const connected = vi.fn();
    socket.on('connect', connected);
    expect(await failure(socket)).toMatchObject(ERROR);
    expect(socket.destroyed).toBe(true);
    await once(socket, 'close');
    expect(connected).not.toHaveBeenCalled();
  });

  test('of a server: it listens', async () => {
    answer(errno);
    const server = net.createServer((socket) => socket.pipe(socket));
    enableLoopbackFastPath(server);
    const port = await listening(server);
    expect(getLoopbackFastPathStatus(server)).toMatchObject({ state: 'failed', error: ERROR });
    expect(listenStories(take())).toEqual([['bind 127.0.0.1', 'fast path on', 'listen']]);
    const socket = closing(net.connect(port, '127.0.0.1'));
    await once(socket, 'connect');
    expect(await exchange(socket)).toBe('ping');
  });

  test('of a required server: it does not', async () => {
    answer(errno);
    const server = net.createServer();
    enableLoopbackFastPath(server, { required: true });
    server.listen(0, '127.0.0.1');
    expect(await failure(server)).toMatchObject(ERROR);
    expect(server.listening).toBe(false);
    expect(server.address()).toBe(null);
    expect(listenStories(take())).toEqual([]);
  });
});

test("the system's own text is in the message", async () => {
  // Wine has no text for Winsock's codes, but for this one.
  answer(5);
  const socket = closing(net.connect(await echo(), '127.0.0.1'));
  enableLoopbackFastPath(socket);
  await once(socket, 'connect');
  const { error } = getLoopbackFastPathStatus(socket) as { error: Error };
  expect(error.message).toMatch(/^WSAIoctl WSA_5 \(5\): \p{L}[^.\n]+\. Look 5 up among/u);
});

describe('a layered provider', () => {
  const LAYER = 0x100000;

  test('that does not know the ioctl: asked once more below it', async () => {
    layerProviders(LAYER);
    answer([10045, 0], 10022);
    const socket = closing(net.connect(await echo(), '127.0.0.1'));
    enableLoopbackFastPath(socket);
    await once(socket, 'connect');
    const ioctls = take().filter(
      ({ call, code }) => call === 'WSAIoctl' && (code === SIO_BASE_HANDLE || code === 0x98000010),
    );
    const socketNumber = ioctls[0]?.socket ?? 0;
    expect(ioctls.map(({ code, socket, value }) => [code, socket - socketNumber, value])).toEqual([
      [0x98000010, 0, 1],
      [SIO_BASE_HANDLE, 0, 0],
      [0x98000010, LAYER, 1],
    ]);
    expect(getLoopbackFastPathStatus(socket)).toEqual({ state: 'applied', family: 4, address: '127.0.0.1' });
    expect(await exchange(socket)).toBe('ping');
  });

  test('over a base that does not know it either: its error, and no third time', async () => {
    layerProviders(LAYER);
    answer([10045, 10045], 0);
    const socket = closing(net.connect(await echo(), '127.0.0.1'));
    enableLoopbackFastPath(socket);
    await once(socket, 'connect');
    expect(fastPathCalls(take())).toHaveLength(2);
    expect(getLoopbackFastPathStatus(socket)).toMatchObject({ state: 'failed', error: { code: 'WSAEOPNOTSUPP' } });
  });

  test('is not bothered for other errors', async () => {
    layerProviders(LAYER);
    answer([10022], 0);
    const socket = closing(net.connect(await echo(), '127.0.0.1'));
    enableLoopbackFastPath(socket);
    await once(socket, 'connect');
    expect(fastPathCalls(take())).toHaveLength(1);
    expect(getLoopbackFastPathStatus(socket)).toMatchObject({ state: 'failed', error: { code: 'WSAEINVAL' } });
  });
});

describe('another Winsock call that fails', () => {
  test('socket, of the probe', async () => {
    const probeLoopbackFastPath = await freshProbe();
    answer(10024, ASK_THE_SYSTEM, 'socket');
    expect(probeLoopbackFastPath()).toMatchObject({
      supported: false,
      error: { code: 'WSAEMFILE', errno: 10024, syscall: 'WSASocket' },
    });
  });

  test('bind, of a client: Node connects all the same', async () => {
    const port = await echo();
    answer([10055], ASK_THE_SYSTEM, 'bind');
    const socket = closing(net.connect(port, '127.0.0.1'));
    enableLoopbackFastPath(socket);
    await once(socket, 'connect');
    expect(getLoopbackFastPathStatus(socket)).toMatchObject({
      state: 'failed',
      error: { code: 'WSAENOBUFS', errno: 10055, syscall: 'bind' },
    });
    expect(fastPathCalls(take())).toEqual([]);
    expect(await exchange(socket)).toBe('ping');
  });

  test('socket, of a client: as without the package', async () => {
    const port = await echo();
    answer([10024], ASK_THE_SYSTEM, 'socket');
    const socket = closing(net.connect(port, '127.0.0.1'));
    enableLoopbackFastPath(socket);
    await once(socket, 'connect');
    expect(getLoopbackFastPathStatus(socket)).toMatchObject({ state: 'failed', error: { code: 'WSAEMFILE' } });
    expect(await exchange(socket)).toBe('ping');
  });

  test('getsockopt, of an IPv6 client', async () => {
    const port = await echo(0, '::1');
    answer(10042, ASK_THE_SYSTEM, 'getsockopt');
    const socket = closing(net.connect(port, '::1'));
    enableLoopbackFastPath(socket, { ipv6: true });
    await once(socket, 'connectionAttempt');
    expect(getLoopbackFastPathStatus(socket)).toMatchObject({
      state: 'failed',
      error: { code: 'WSAENOPROTOOPT', syscall: 'getsockopt' },
    });
    answer(ASK_THE_SYSTEM, ASK_THE_SYSTEM, 'getsockopt');
    await once(socket, 'connect');
    expect(await exchange(socket)).toBe('ping');
  });
});

test('required and skipped destroys a client', async () => {
  const socket = net.connect(await echo(0, '::1'), '::1');
  enableLoopbackFastPath(socket, { required: true });
  expect(await failure(socket)).toMatchObject({ code: 'ERR_LOOPBACK_FAST_PATH_SKIPPED' });
  expect(socket.destroyed).toBe(true);
  expect(getLoopbackFastPathStatus(socket)).toEqual({ state: 'skipped', reason: 'ipv6' });
});

test('a handle that only imitates one: failed, and Node goes on', () => {
  const socket = closing(new net.Socket());
  enableLoopbackFastPath(socket);
  Object.defineProperty(socket, '_handle', { configurable: true, value: { hasRef: () => true, ref() {}, unref() {} } });
  socket.emit('connectionAttempt', '127.0.0.1', 1, 4);
  expect(getLoopbackFastPathStatus(socket)).toEqual({ state: 'skipped', reason: 'not-tcp' });
  Object.defineProperty(socket, '_handle', {
    configurable: true,
    get() {
      throw new Error('hostile');
    },
  });
  socket.emit('connectionAttempt', '127.0.0.1', 1, 4);
  expect(getLoopbackFastPathStatus(socket)).toMatchObject({
    state: 'failed',
    error: { code: 'ERR_LOOPBACK_FAST_PATH_HOST', cause: { message: 'hostile' } },
  });
  expect(thrown(() => enableLoopbackFastPath(socket))).toMatchObject({
    code: 'ERR_LOOPBACK_FAST_PATH_HOST',
    cause: { message: 'hostile' },
  });
  expect(tryEnableLoopbackFastPath(socket)).toBe(false);
  Reflect.deleteProperty(socket, '_handle');
});

test('the answer of the system itself', async () => {
  answer(ASK_THE_SYSTEM);
  const probeLoopbackFastPath = await freshProbe();
  const probe = probeLoopbackFastPath();
  const socket = closing(net.connect(await echo(), '127.0.0.1'));
  expect(tryEnableLoopbackFastPath(socket)).toBe(true);
  await once(socket, 'connect');
  expect(await exchange(socket)).toBe('ping');
  const status = getLoopbackFastPathStatus(socket);
  if (process.env.LOOPBACK_TEST_SYSTEM === 'wine') {
    expect(probe).toMatchObject({ supported: false, error: { code: 'WSAEOPNOTSUPP' } });
    expect(status).toMatchObject({ state: 'failed', error: { code: 'WSAEOPNOTSUPP' } });
  } else {
    expect(probe).toEqual({ supported: true });
    expect(status).toEqual({ state: 'applied', family: 4, address: '127.0.0.1' });
  }
});
