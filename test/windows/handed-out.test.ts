// Whatever Node hands out as a socket or server is taken by every function; what cannot
// be served is answered with an error of ours.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import * as http2 from 'node:http2';
import { createRequire } from 'node:module';
import * as net from 'node:net';
import { dirname } from 'node:path';
import { Duplex } from 'node:stream';
import * as tls from 'node:tls';
import { fileURLToPath } from 'node:url';
import * as vm from 'node:vm';
import * as api from 'loopback-fast-path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { outcome } from '../support/hostile.js';
import { answer, connectStories, listenStories, take, useRecorder } from '../support/recorder.js';
import { closing, echo, exchange, failure, listening, thrown } from '../support/sockets.js';

useRecorder();

const APPLIED = { state: 'applied', family: 4, address: '127.0.0.1' };
const ARMED_CONNECT = ['bind 0.0.0.0', 'fast path on', 'ConnectEx 127.0.0.1'];
const HOST = { name: 'LoopbackFastPathError', code: 'ERR_LOOPBACK_FAST_PATH_HOST' };
const TOO_LATE = { name: 'LoopbackFastPathError', code: 'ERR_LOOPBACK_FAST_PATH_TOO_LATE' };

describe('a socket of http2, which is a Proxy', () => {
  /** The two ends of a session, and the socket that a request of it shows. */
  async function session(createConnection?: typeof api.createFastPathConnection) {
    const server = http2.createServer();
    const port = await listening(server);
    const asked = once(server, 'request') as Promise<[http2.Http2ServerRequest, http2.Http2ServerResponse]>;
    const client = http2.connect(
      `http://127.0.0.1:${port}`,
      createConnection && { createConnection: () => createConnection(port, '127.0.0.1') },
    );
    onTestFinished(() => client.destroy());
    client.request().resume().end();
    const [request, response] = await asked;
    response.end();
    return { client, request };
  }

  test('of an armed session: the status is that of the socket, and it has it', async () => {
    const { client } = await session(api.createFastPathConnection);
    const socket = client.socket as net.Socket;
    expect(api.getLoopbackFastPathStatus(socket)).toEqual(APPLIED);
    expect(api.tryEnableLoopbackFastPath(socket)).toBe(true);
    api.enableLoopbackFastPath(socket, { required: true });
    expect(thrown(() => api.disableLoopbackFastPath(socket))).toMatchObject(TOO_LATE);
  });

  test('of any other session, of its server and of a request there: too late', async () => {
    const { client, request } = await session();
    // The session of the server and its request show one socket.
    for (const [socket, same] of [
      [client.socket, client.socket],
      [request.stream.session?.socket, request.socket],
    ] as [net.Socket, net.Socket][]) {
      expect(api.getLoopbackFastPathStatus(same)).toEqual({ state: 'off' });
      expect(thrown(() => api.enableLoopbackFastPath(socket))).toMatchObject(TOO_LATE);
      expect(api.tryEnableLoopbackFastPath(socket)).toBe(false);
      expect(api.getLoopbackFastPathStatus(same)).toMatchObject({ state: 'failed', error: TOO_LATE });
      api.disableLoopbackFastPath(socket);
    }
  });

  test('of a session that is over: a wrong argument', async () => {
    const { client } = await session();
    const socket = client.socket as net.Socket;
    client.destroy();
    await once(client, 'close');
    for (const call of [api.enableLoopbackFastPath, api.tryEnableLoopbackFastPath, api.getLoopbackFastPathStatus]) {
      expect(thrown(() => call(socket))).toMatchObject({ code: 'ERR_INVALID_ARG_TYPE' });
    }
  });
});

describe.each([
  ['cannot be extended', Object.preventExtensions],
  ['is sealed', Object.seal],
])('a target that %s', (_how, close) => {
  test.each(['before', 'after'])('a socket, %s it is armed: it has it', async (when) => {
    const socket = closing(new net.Socket());
    if (when === 'before') close(socket);
    api.enableLoopbackFastPath(socket);
    if (when === 'after') close(socket);
    socket.connect(await echo(), '127.0.0.1');
    await once(socket, 'connect');
    expect(api.getLoopbackFastPathStatus(socket)).toEqual(APPLIED);
    expect(connectStories(take())).toEqual([ARMED_CONNECT]);
    expect(await exchange(socket)).toBe('ping');
  });

  test('a socket, under a registration: it has it', async () => {
    const port = await echo();
    onTestFinished(api.registerLoopbackFastPath());
    const socket = closing(close(new net.Socket())).connect(port, '127.0.0.1');
    await once(socket, 'connect');
    expect(api.getLoopbackFastPathStatus(socket)).toEqual(APPLIED);
  });

  test('a server, on which Node itself cannot listen: HOST', () => {
    const server = close(net.createServer());
    expect(thrown(() => api.enableLoopbackFastPath(server, { required: true }))).toMatchObject(HOST);
    expect(api.tryEnableLoopbackFastPath(server)).toBe(false);
    expect(api.getLoopbackFastPathStatus(server)).toMatchObject({ state: 'failed', error: HOST });
    api.disableLoopbackFastPath(server);
  });
});

/** An armed server that has listened once: then Node can make it listen again, also where it is sealed. */
async function sealed(options?: api.LoopbackFastPathOptions): Promise<net.Server> {
  const server = net.createServer((socket) => socket.pipe(socket));
  api.enableLoopbackFastPath(server, options);
  await listening(server);
  server.close();
  await once(server, 'close');
  take();
  return Object.seal(server);
}

test('an armed server that is sealed: HOST, and it listens without', async () => {
  const server = await sealed();
  await listening(server);
  expect(api.getLoopbackFastPathStatus(server)).toMatchObject({
    state: 'failed',
    error: { ...HOST, cause: { message: 'the server was sealed, so nobody sees its handle before it listens' } },
  });
  expect(listenStories(take())).toEqual([['bind 127.0.0.1', 'listen']]);
});

test('an armed server that is sealed, and required: HOST, and it does not listen', async () => {
  const server = await sealed({ required: true });
  server.listen(0, '127.0.0.1');
  const [error] = await once(server, 'error');
  expect(error).toMatchObject(HOST);
  expect(server.listening).toBe(false);
  expect(take().filter(({ call }) => call === 'listen')).toEqual([]);
});

/** The same of one that was not armed. */
async function sealedPlain(onConnection?: () => void): Promise<net.Server> {
  const server = net.createServer(onConnection);
  await listening(server);
  server.close();
  await once(server, 'close');
  return Object.seal(server);
}

test('a server that has listened and was sealed, in a context: HOST, and it listens without', async () => {
  const server = await sealedPlain();
  take();
  await api.runWithLoopbackFastPath({}, () => listening(server));
  expect(api.getLoopbackFastPathStatus(server)).toMatchObject({ state: 'failed', error: HOST });
  expect(listenStories(take())).toEqual([['bind 127.0.0.1', 'listen']]);
  expect(server.listening).toBe(true);
});

test('a server that has listened and was sealed, in a context that requires it: HOST, and it does not stay', async () => {
  const server = await sealedPlain(() => expect.unreachable());
  api.runWithLoopbackFastPath({ required: true }, () => server.listen(0, '127.0.0.1'));
  const closed = new Promise((resolve) => server.once('close', resolve));
  const [error] = await once(server, 'error');
  expect(error).toMatchObject(HOST);
  await closed;
  expect(server.listening).toBe(false);
});

test.each([
  ['socket', () => new net.Socket()],
  ['server', () => net.createServer()],
])('a frozen %s, with which Node itself can do nothing: no error but ours', (_what, make) => {
  const target = Object.freeze(make());
  for (const call of [api.enableLoopbackFastPath, api.disableLoopbackFastPath, api.getLoopbackFastPathStatus]) {
    expect(['returned', 'ERR_LOOPBACK_FAST_PATH_HOST']).toContain(outcome(() => call(target)));
  }
  expect(typeof api.tryEnableLoopbackFastPath(target)).toBe('boolean');
});

test('a pipe of a child process, and TLS over a stream: too late, or left alone', async () => {
  const child = spawn(process.execPath, ['--version'], { stdio: ['pipe', 'ignore', 'ignore'] });
  onTestFinished(() => void child.kill());
  expect(thrown(() => api.enableLoopbackFastPath(child.stdin as net.Socket))).toMatchObject(TOO_LATE);

  const stream = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() });
  const secure = closing(tls.connect({ socket: stream }));
  secure.on('error', () => {});
  expect(['returned', 'ERR_LOOPBACK_FAST_PATH_TOO_LATE']).toContain(outcome(() => api.enableLoopbackFastPath(secure)));
  expect(api.getLoopbackFastPathStatus(secure).state).not.toBe('applied');
});

describe('other realms', () => {
  const file = fileURLToPath(new URL('../../dist/core.cjs', import.meta.url));
  const text = readFileSync(file, 'utf8');

  /** A copy of the package in a realm of its own, as Jest makes one for each file of tests. */
  function copyInRealm(): typeof api {
    const module = { exports: {} };
    const parsingContext = vm.createContext({ process });
    const parameters = ['module', 'exports', 'require', '__filename', '__dirname'];
    const load = vm.compileFunction(text, parameters, { parsingContext, filename: file });
    load(module, module.exports, createRequire(file), file, dirname(file));
    return module.exports as typeof api;
  }

  test('sockets of a class, and options, from another realm', async () => {
    const port = await echo();
    const { socket, options } = vm.runInNewContext(
      '({ socket: new (class extends Socket {})(), options: { shouldApply: ({ port }) => port > 0 } })',
      { Socket: net.Socket },
    );
    api.enableLoopbackFastPath(closing(socket), options);
    socket.connect(port, '127.0.0.1');
    await once(socket, 'connect');
    expect(api.getLoopbackFastPathStatus(socket)).toEqual(APPLIED);
  });

  test('many copies: each serves its sockets, keeps what it promised, and all share one wrapper', async () => {
    const port = await echo();
    const wrappers = new Set<unknown>();
    for (let count = 0; count < 5; ++count) {
      const copy = copyInRealm();
      expect(copy.enableLoopbackFastPath).not.toBe(api.enableLoopbackFastPath);
      answer(0);
      const socket = closing(net.connect(port, '127.0.0.1'));
      copy.enableLoopbackFastPath(socket);
      await once(socket, 'connect');
      expect(copy.getLoopbackFastPathStatus(socket)).toEqual(APPLIED);
      expect(connectStories(take())).toEqual([ARMED_CONNECT]);
      const { _handle: handle } = socket as unknown as { _handle: object };
      wrappers.add(Reflect.get(Object.getPrototypeOf(handle), 'connect'));

      answer(10022);
      const fastPath = { required: true };
      const error = await failure(copy.createFastPathConnection({ port, host: '127.0.0.1', fastPath }));
      expect(error).toMatchObject({ code: 'WSAEINVAL' });
      expect(take().filter(({ call }) => call === 'ConnectEx')).toEqual([]);
    }
    expect(wrappers.size).toBe(1);
  });
});
