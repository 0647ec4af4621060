import { once } from 'node:events';
import { createRequire } from 'node:module';
import * as net from 'node:net';
import { enableLoopbackFastPath, getLoopbackFastPathStatus, tryEnableLoopbackFastPath } from 'loopback-fast-path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { winsockError } from '../../dist/core.cjs';
import {
  ASK_THE_SYSTEM,
  answer,
  connectStories,
  fastPathCalls,
  freshPackage,
  layerProviders,
  SIO_BASE_HANDLE,
  take,
  useRecorder,
} from '../support/recorder.js';
import { closing, echo, exchange, failure, thrown } from '../support/sockets.js';

useRecorder();

test("the system's own text is in the message", async () => {
  // Wine has no text for Winsock's codes, but for this one.
  answer(5);
  const socket = closing(net.connect(await echo(), '127.0.0.1'));
  enableLoopbackFastPath(socket);
  await once(socket, 'connect');
  const { error } = getLoopbackFastPathStatus(socket) as { error: Error };
  expect(error.message).toMatch(/^WSAIoctl WSA_5 \(5\): \p{L}[^.\n]+\. Look 5 up among/u);
});

describe('a layered provider (R9)', () => {
  const LAYER = 0x100000;

  test('that does not know the ioctl: the base socket is asked once', async () => {
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

  test('over a base that does not know the ioctl either: its error, and no third call', async () => {
    layerProviders(LAYER);
    answer([10045, 10045], 0);
    const socket = closing(net.connect(await echo(), '127.0.0.1'));
    enableLoopbackFastPath(socket);
    await once(socket, 'connect');
    expect(fastPathCalls(take())).toHaveLength(2);
    expect(getLoopbackFastPathStatus(socket)).toMatchObject({ state: 'failed', error: { code: 'WSAEOPNOTSUPP' } });
  });

  test('is not asked after other errors', async () => {
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
  test('getsockopt, of an IPv6 client', async () => {
    const port = await echo(0, '::1');
    answer(10042, ASK_THE_SYSTEM, 'getsockopt');
    // Bound by Node, so that the SOCKET has to be asked.
    const socket = closing(net.connect({ port, host: '::1', localAddress: '::1' }));
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

test('a handle that cannot be read: a typed error', () => {
  const socket = closing(new net.Socket());
  Object.defineProperty(socket, '_handle', {
    configurable: true,
    get() {
      throw new Error('hostile');
    },
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
  const { getLoopbackFastPathStatus, probeLoopbackFastPath, tryEnableLoopbackFastPath } = freshPackage();
  const probe = probeLoopbackFastPath();
  const socket = closing(net.connect(await echo(), '127.0.0.1'));
  // What the system refuses every socket is known at once.
  expect(tryEnableLoopbackFastPath(socket)).toBe(probe.supported);
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

describe('a system that refuses the ioctl for every socket is known at the door', () => {
  test('enable throws what Winsock said, and tryEnable answers false', async () => {
    answer(10045);
    const { enableLoopbackFastPath, getLoopbackFastPathStatus, tryEnableLoopbackFastPath } = freshPackage();
    const refused = { name: 'LoopbackFastPathError', code: 'WSAEOPNOTSUPP', errno: 10045, syscall: 'WSAIoctl' };
    for (const target of [closing(new net.Socket()), net.createServer()]) {
      expect(thrown(() => enableLoopbackFastPath(target))).toMatchObject(refused);
      expect(getLoopbackFastPathStatus(target)).toEqual({ state: 'off' });
      expect(tryEnableLoopbackFastPath(target)).toBe(false);
      expect(getLoopbackFastPathStatus(target)).toMatchObject({ state: 'failed', error: refused });
    }
    // One question for all of them, and once more below a layer that there is not.
    expect(fastPathCalls(take())).toHaveLength(1);
  });

  test('required through a factory: no connection is made', async () => {
    const port = await echo();
    answer(10045);
    const { createFastPathConnection } = freshPackage();
    take();
    const socket = closing(createFastPathConnection({ port, host: '127.0.0.1', fastPath: { required: true } }));
    expect(await failure(socket)).toMatchObject({ code: 'WSAEOPNOTSUPP' });
    expect(connectStories(take())).toEqual([]);
  });

  test.each([
    ['no buffers', 10055],
    ['no descriptors', 10024],
  ])('a probe that failed for want of %s is asked again', async (_what, errno) => {
    const { enableLoopbackFastPath, getLoopbackFastPathStatus, probeLoopbackFastPath } = freshPackage();
    answer([errno], ASK_THE_SYSTEM, 'socket');
    expect(probeLoopbackFastPath()).toMatchObject({ supported: false, error: { errno, syscall: 'WSASocket' } });
    expect(probeLoopbackFastPath()).toEqual({ supported: true });
    const port = await echo();
    const socket = closing(net.connect(port, '127.0.0.1'));
    enableLoopbackFastPath(socket);
    await once(socket, 'connect');
    expect(getLoopbackFastPathStatus(socket)).toMatchObject({ state: 'applied' });
  });
});

test('a program whose handles are not those of Node: an error that says so, and traffic flows', async () => {
  const copy = freshPackage();
  const node = createRequire(import.meta.url)('node:net') as { _createServerHandle: unknown };
  const port = await echo();
  const own = node._createServerHandle;
  onTestFinished(() => {
    node._createServerHandle = own;
  });
  node._createServerHandle = () => -4092;
  const socket = closing(net.connect(port, '127.0.0.1'));
  const error = thrown(() => copy.enableLoopbackFastPath(socket));
  expect(error).toMatchObject({ code: 'ERR_LOOPBACK_FAST_PATH_HOST', cause: { message: 'bind 127.0.0.1: -4092' } });
  await once(socket, 'connect');
  expect(await exchange(socket)).toBe('ping');
});

test("a text of the system's in several lines becomes one", () => {
  const { message } = winsockError({ syscall: 'WSAIoctl', errno: 10013, message: 'An attempt was made\r\n in a way' });
  expect(message).toMatch(/^WSAIoctl WSAEACCES \(10013\): An attempt was made in a way\. /);
});

test('where the system has no text, none is made up', () => {
  const { message } = winsockError({ syscall: 'WSAIoctl', errno: 10013, message: '' });
  expect(message).toMatch(/^WSAIoctl WSAEACCES \(10013\)\. A policy /);
});

test('a binary that does not load: the error says which was tried, and why not', () => {
  const copy = freshPackage() as typeof import('../../dist/core.cjs');
  copy.useBinary(() => {
    throw new Error('not this one');
  });
  const error = thrown(() => copy.enableLoopbackFastPath(new net.Socket()));
  expect(error).toMatchObject({
    code: 'ERR_LOOPBACK_FAST_PATH_BINARY',
    message: expect.stringContaining('Tried the binary that the program carries (not this one)'),
  });
});
