import { once } from 'node:events';
import { cpSync } from 'node:fs';
import * as http from 'node:http';
import * as http2 from 'node:http2';
import * as https from 'node:https';
import { createRequire } from 'node:module';
import * as net from 'node:net';
import * as tls from 'node:tls';
import { fileURLToPath, pathToFileURL } from 'node:url';
import {
  disableLoopbackFastPath,
  enableLoopbackFastPath,
  getLoopbackFastPathStatus,
  tryEnableLoopbackFastPath,
} from 'loopback-fast-path';
import { describe, expect, test } from 'vitest';
import { answer, fastPathCalls, listenStories, recordNewAddons, take, useRecorder } from '../support/recorder.js';
import {
  BoundSocket,
  boundHandle,
  boundSocketTitle,
  certificate,
  closing,
  echo,
  exchange,
  failure,
  listening,
  thrown,
} from '../support/sockets.js';

useRecorder();

const ARMED_LISTEN = ['bind 127.0.0.1', 'fast path on', 'listen'];
const APPLIED = { state: 'applied', family: 4, address: '127.0.0.1' };

function armedEcho(): net.Server {
  const server = net.createServer((socket) => socket.pipe(socket));
  enableLoopbackFastPath(server);
  expect(getLoopbackFastPathStatus(server)).toEqual({ state: 'armed' });
  return server;
}

async function connected(port: number, host = '127.0.0.1'): Promise<net.Socket> {
  const socket = closing(net.connect(port, host));
  await once(socket, 'connect');
  return socket;
}

describe('listen() (B4)', () => {
  test.each<[string, unknown[]]>([
    ['(port, host)', [0, '127.0.0.1']],
    ['(options)', [{ port: 0, host: '127.0.0.1' }]],
    ['(options) with exclusive', [{ port: 0, host: '127.0.0.1', exclusive: true }]],
    ['(port, host, backlog)', [0, '127.0.0.1', 5]],
    ['(options) with another address of 127.0.0.0/8', [{ port: 0, host: '127.0.0.2' }]],
  ])('%s', async (_form, args) => {
    const server = armedEcho();
    const port = await listening(server, ...args);
    const calls = take();
    const address = (server.address() as net.AddressInfo).address;
    expect(listenStories(calls)).toEqual([[`bind ${address}`, 'fast path on', 'listen']]);
    expect(fastPathCalls(calls)).toMatchObject([
      { value: 1, inputSize: 4, outputSize: 0, hasOutput: false, hasBytesReturned: true, overlapped: false },
    ]);
    expect(getLoopbackFastPathStatus(server)).toEqual({ ...APPLIED, address });
    expect(await exchange(await connected(port, address))).toBe('ping');
  });

  test('(port, name) armed right after it, while the name is looked up', async () => {
    const server = net.createServer((socket) => socket.pipe(socket));
    const ready = listening(server, 0, 'localhost');
    enableLoopbackFastPath(server);
    await ready;
    const { address, family } = server.address() as net.AddressInfo;
    expect(getLoopbackFastPathStatus(server)).toEqual(
      family === 'IPv4' ? { ...APPLIED, address } : { state: 'skipped', reason: 'ipv6' },
    );
  });

  test("on '0.0.0.0'", async () => {
    const server = armedEcho();
    const port = await listening(server, 0, '0.0.0.0');
    expect(listenStories(take())).toEqual([['bind 0.0.0.0', 'fast path on', 'listen']]);
    expect(getLoopbackFastPathStatus(server)).toEqual({ ...APPLIED, address: '0.0.0.0' });
    expect(await exchange(await connected(port))).toBe('ping');
  });

  test('(handle)', async () => {
    const server = armedEcho();
    const port = await listening(server, boundHandle());
    expect(listenStories(take())).toEqual([ARMED_LISTEN]);
    expect(getLoopbackFastPathStatus(server)).toEqual(APPLIED);
    expect(await exchange(await connected(port))).toBe('ping');
  });

  test.skipIf(BoundSocket === undefined)(boundSocketTitle('(BoundSocket)'), async () => {
    const server = armedEcho();
    const port = await listening(server, new (BoundSocket as NonNullable<typeof BoundSocket>)({ host: '127.0.0.1' }));
    expect(listenStories(take())).toEqual([ARMED_LISTEN]);
    expect(await exchange(await connected(port))).toBe('ping');
  });

  test('keeps an earlier unref()', async () => {
    const server = armedEcho();
    server.unref();
    await listening(server);
    expect((server as unknown as { _handle: { hasRef(): boolean } })._handle.hasRef()).toBe(false);
    expect(getLoopbackFastPathStatus(server)).toEqual(APPLIED);
  });

  test('closed and again', async () => {
    const server = armedEcho();
    for (let round = 0; round < 3; ++round) {
      const port = await listening(server);
      expect(listenStories(take())).toEqual([ARMED_LISTEN]);
      expect(getLoopbackFastPathStatus(server)).toEqual(APPLIED);
      const socket = await connected(port);
      expect(await exchange(socket)).toBe('ping');
      socket.destroy();
      server.close();
      await once(server, 'close');
    }
  });

  test('again in the tick of close()', async () => {
    const server = armedEcho();
    await listening(server);
    take();
    server.close();
    await listening(server);
    expect(listenStories(take())).toEqual([ARMED_LISTEN]);
  });

  test('again after the address was in use', async () => {
    const taken = await echo();
    const server = armedEcho();
    server.listen(taken, '127.0.0.1');
    expect(await failure(server)).toMatchObject({ code: 'EADDRINUSE' });
    expect(getLoopbackFastPathStatus(server)).toEqual({ state: 'armed' });
    take();
    await listening(server);
    expect(listenStories(take())).toEqual([ARMED_LISTEN]);
  });

  test.each([
    ['', {}],
    [' (required)', { required: true }],
  ])('without a host, on a port in use: the error that Node has for it%s', async (_what, options) => {
    const taken = await echo(0, '::');
    const server = net.createServer();
    enableLoopbackFastPath(server, { ipv6: 'dual-stack', ...options });
    server.listen(taken);
    expect(await failure(server)).toMatchObject({ code: 'EADDRINUSE' });
    expect(getLoopbackFastPathStatus(server)).toEqual({ state: 'armed' });
    expect(fastPathCalls(take())).toEqual([]);
  });

  test('on a named pipe is skipped (R2)', async () => {
    const server = armedEcho();
    const path = `\\\\.\\pipe\\loopback-fast-path-server-${process.pid}`;
    await listening(server, path);
    expect(getLoopbackFastPathStatus(server)).toEqual({ state: 'skipped', reason: 'not-tcp' });
    expect(fastPathCalls(take())).toEqual([]);
  });
});

describe('the servers of Node', () => {
  test('http', async () => {
    const server = http.createServer((_request, response) => response.end('hello'));
    enableLoopbackFastPath(server);
    const port = await listening(server);
    expect(listenStories(take())).toEqual([ARMED_LISTEN]);
    expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe('hello');
  });

  test('https', async () => {
    const server = https.createServer(certificate, (_request, response) => response.end('hello'));
    enableLoopbackFastPath(server);
    const port = await listening(server);
    expect(listenStories(take())).toEqual([ARMED_LISTEN]);
    const request = https.get({ port, host: '127.0.0.1', ca: certificate.cert, agent: false });
    const [response] = (await once(request, 'response')) as [http.IncomingMessage];
    expect((await response.toArray()).join('')).toBe('hello');
  });

  test.each([
    ['http2', () => http2.createServer(), 'http'],
    ['http2 over TLS', () => http2.createSecureServer(certificate), 'https'],
  ])('%s', async (_name, create, scheme) => {
    const server: net.Server = create();
    server.on('stream', (stream: http2.ServerHttp2Stream) => stream.end('hello'));
    enableLoopbackFastPath(server);
    const port = await listening(server);
    expect(listenStories(take())).toEqual([ARMED_LISTEN]);
    const session = http2.connect(`${scheme}://127.0.0.1:${port}`, { ca: certificate.cert });
    expect((await session.request({ ':path': '/' }).toArray()).join('')).toBe('hello');
    session.close();
    await once(session, 'close');
  });

  test('tls', async () => {
    const server = tls.createServer(certificate, (socket) => socket.pipe(socket));
    enableLoopbackFastPath(server);
    const port = await listening(server);
    expect(listenStories(take())).toEqual([ARMED_LISTEN]);
    const socket = closing(tls.connect({ port, host: '127.0.0.1', ca: certificate.cert }));
    await once(socket, 'secureConnect');
    expect(await exchange(socket)).toBe('ping');
  });
});

describe('too late', () => {
  test('when it listens', async () => {
    const server = net.createServer();
    await listening(server);
    expect(thrown(() => enableLoopbackFastPath(server))).toMatchObject({
      code: 'ERR_LOOPBACK_FAST_PATH_TOO_LATE',
      message: 'The server listens already. The loopback fast path must be set before listen().',
    });
  });

  test('but not to enable it again, while it listens with it', async () => {
    const server = armedEcho();
    await listening(server);
    expect(tryEnableLoopbackFastPath(server)).toBe(true);
    expect(getLoopbackFastPathStatus(server)).toEqual(APPLIED);
  });

  test('to disable it, while it listens with it', async () => {
    const server = armedEcho();
    await listening(server);
    expect(thrown(() => disableLoopbackFastPath(server))).toMatchObject({ code: 'ERR_LOOPBACK_FAST_PATH_TOO_LATE' });
    expect(getLoopbackFastPathStatus(server)).toEqual(APPLIED);
  });

  test('but not to disable it for the next listen()', async () => {
    const server = armedEcho();
    await listening(server);
    server.close();
    await once(server, 'close');
    disableLoopbackFastPath(server);
    take();
    await listening(server);
    expect(fastPathCalls(take())).toEqual([]);
    expect(getLoopbackFastPathStatus(server)).toEqual({ state: 'off' });
  });
});

test('no accessor or wrapper is on the handle or in its place once it listens', async () => {
  const plain = net.createServer();
  const armed = armedEcho();
  await listening(plain);
  await listening(armed);
  const descriptor = (server: net.Server) => {
    const { value: _value, ...rest } = Object.getOwnPropertyDescriptor(server, '_handle') ?? {};
    return rest;
  };
  expect(descriptor(armed)).toEqual(descriptor(plain));
  const handleOf = (server: net.Server) => (server as unknown as { _handle: object })._handle;
  expect(Reflect.ownKeys(handleOf(armed))).toEqual(Reflect.ownKeys(handleOf(plain)));
  expect(Object.keys(armed)).toEqual(Object.keys(plain));
});

test('another wrapper of _listen2 works before and after ours', async () => {
  type Wrapped = net.Server & { _listen2(...args: unknown[]): unknown };
  const seen: string[] = [];
  const wrap = (server: net.Server, name: string) => {
    const wrapped = server as Wrapped;
    const original = wrapped._listen2;
    wrapped._listen2 = function (...args) {
      seen.push(name);
      return original.apply(this, args);
    };
  };
  const server = net.createServer();
  wrap(server, 'inner');
  enableLoopbackFastPath(server);
  wrap(server, 'outer');
  await listening(server);
  expect(seen).toEqual(['outer', 'inner']);
  expect(listenStories(take())).toEqual([ARMED_LISTEN]);
});

test('disabled below another wrapper of _listen2, it listens as it would without us', async () => {
  const server = net.createServer();
  enableLoopbackFastPath(server);
  const wrapped = server as net.Server & { _listen2(...args: unknown[]): unknown };
  const ours = wrapped._listen2;
  wrapped._listen2 = function (...args) {
    return ours.apply(this, args);
  };
  const theirs = wrapped._listen2;
  disableLoopbackFastPath(server);
  expect(wrapped._listen2).toBe(theirs);
  await listening(server);
  expect(listenStories(take())).toEqual([['bind 127.0.0.1', 'listen']]);
  expect(getLoopbackFastPathStatus(server)).toEqual({ state: 'off' });
});

test('what another wrapper of _listen2 throws comes out of listen(), and the server is as it was', () => {
  const server = net.createServer();
  const before = Object.getOwnPropertyDescriptor(server, '_handle');
  Object.assign(server, {
    _listen2() {
      throw new Error('boom');
    },
  });
  enableLoopbackFastPath(server);
  expect(thrown(() => server.listen(0))).toMatchObject({ message: 'boom' });
  expect(Object.getOwnPropertyDescriptor(server, '_handle')).toEqual(before);
});

test('two copies of the package arm one server: one ioctl, whoever comes first', async () => {
  const folder = fileURLToPath(new URL('../../build/copy', import.meta.url));
  for (const part of ['dist', 'prebuilds', 'package.json']) {
    cpSync(fileURLToPath(new URL(`../../${part}`, import.meta.url)), `${folder}/${part}`, { recursive: true });
  }
  const copy: typeof import('loopback-fast-path') = await import(
    /* @vite-ignore */ pathToFileURL(`${folder}/dist/node.mjs`).href
  );
  expect(copy.enableLoopbackFastPath).not.toBe(enableLoopbackFastPath);
  // Loaded before the copy asks the system for the first time, which it remembers.
  createRequire(import.meta.url)(`${folder}/prebuilds/win32-${process.arch}/loopback-fast-path.node`);
  recordNewAddons();
  copy.probeLoopbackFastPath();
  take();
  for (const first of [true, false]) {
    const server = net.createServer((socket) => socket.pipe(socket));
    const [inner, outer] = first
      ? [enableLoopbackFastPath, copy.enableLoopbackFastPath]
      : [copy.enableLoopbackFastPath, enableLoopbackFastPath];
    inner(server);
    outer(server);
    const port = await listening(server);
    expect(listenStories(take())).toEqual([ARMED_LISTEN]);
    expect(getLoopbackFastPathStatus(server)).toEqual(APPLIED);
    expect(copy.getLoopbackFastPathStatus(server)).toEqual(APPLIED);
    expect(Object.getOwnPropertyDescriptor(server, '_handle')).toHaveProperty('value');
    expect(await exchange(await connected(port))).toBe('ping');
  }
});

test.each(['192.0.2.1', '128.0.0.1', '::2'])('an address that is not loopback is skipped: %s (B6)', async (host) => {
  // This machine does not have the address; the recorder binds in Windows' place.
  answer(0, 0, 'bind');
  const server = net.createServer();
  enableLoopbackFastPath(server, { ipv6: 'dual-stack', required: true });
  server.listen(0, host);
  expect(await failure(server)).toMatchObject({
    code: 'ERR_LOOPBACK_FAST_PATH_SKIPPED',
    message: expect.stringContaining('not-loopback'),
  });
  expect(getLoopbackFastPathStatus(server)).toEqual({ state: 'skipped', reason: 'not-loopback' });
  const calls = take();
  expect(fastPathCalls(calls)).toEqual([]);
  expect(listenStories(calls)).toEqual([]);
});

test('required: where the system refuses, it does not listen', async () => {
  answer(10045);
  const server = net.createServer();
  enableLoopbackFastPath(server, { required: true });
  server.listen(0, '127.0.0.1');
  expect(server.listening).toBe(false);
  expect(await failure(server)).toMatchObject({ code: 'WSAEOPNOTSUPP', errno: 10045, syscall: 'WSAIoctl' });
  expect(server.listening).toBe(false);
  expect(listenStories(take())).toEqual([]);
  answer(0);
  await listening(server);
  expect(getLoopbackFastPathStatus(server)).toEqual(APPLIED);
});
