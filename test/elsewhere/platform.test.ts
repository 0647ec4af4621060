import { hasSubscribers } from 'node:diagnostics_channel';
import { once } from 'node:events';
import * as http from 'node:http';
import * as net from 'node:net';
import {
  createFastPathConnection,
  disableLoopbackFastPath,
  enableLoopbackFastPath,
  FastPathAgent,
  getLoopbackFastPathStatus,
  probeLoopbackFastPath,
  registerLoopbackFastPath,
  tryEnableLoopbackFastPath,
} from 'loopback-fast-path';
import { expect, test } from 'vitest';
import { closing, echo, exchange, failure, listening, thrown } from '../support/sockets.js';

const PLATFORM = {
  name: 'LoopbackFastPathError',
  code: 'ERR_LOOPBACK_FAST_PATH_PLATFORM',
  message: expect.stringContaining(process.platform),
};

test('enable throws the platform error and leaves the socket alone', () => {
  for (const target of [new net.Socket(), net.createServer()]) {
    expect(thrown(() => enableLoopbackFastPath(target, { required: true }))).toMatchObject(PLATFORM);
    expect(getLoopbackFastPathStatus(target)).toEqual({ state: 'off' });
    expect(target.listenerCount('connectionAttempt')).toBe(0);
    expect(Object.hasOwn(target, '_listen2')).toBe(false);
    disableLoopbackFastPath(target);
    expect(getLoopbackFastPathStatus(target)).toEqual({ state: 'off' });
  }
});

test('tryEnable returns false, says why, and traffic flows', async () => {
  const socket = closing(net.connect(await echo(), '127.0.0.1'));
  expect(tryEnableLoopbackFastPath(socket)).toBe(false);
  expect(getLoopbackFastPathStatus(socket)).toMatchObject({ state: 'failed', error: PLATFORM });
  await once(socket, 'connect');
  expect(await exchange(socket)).toBe('ping');
});

test('each error has the stack of its own call', () => {
  function here() {
    enableLoopbackFastPath(new net.Socket());
  }
  function there() {
    enableLoopbackFastPath(new net.Socket());
  }
  expect((thrown(here) as Error).stack).toContain('here');
  expect((thrown(there) as Error).stack).toContain('there');
});

test('the probe says no', () => {
  expect(probeLoopbackFastPath()).toMatchObject({ supported: false, error: PLATFORM });
  expect(probeLoopbackFastPath()).toBe(probeLoopbackFastPath());
});

test('createFastPathConnection() and the agents connect, and say why not', async () => {
  const socket = closing(createFastPathConnection(await echo(), '127.0.0.1'));
  await once(socket, 'connect');
  expect(getLoopbackFastPathStatus(socket)).toMatchObject({ state: 'failed', error: PLATFORM });
  expect(await exchange(socket)).toBe('ping');
  const port = await listening(http.createServer((_request, response) => response.end('pong')));
  const request = http.get({ port, host: '127.0.0.1', agent: new FastPathAgent() });
  const [response] = (await once(request, 'response')) as [http.IncomingMessage];
  expect(await response.setEncoding('utf8').toArray()).toEqual(['pong']);
});

test('required is an error of the socket, and of the request', async () => {
  const fastPath = { required: true };
  expect(await failure(createFastPathConnection({ port: await echo(), host: '127.0.0.1', fastPath }))).toMatchObject(
    PLATFORM,
  );
  const agent = new FastPathAgent({ fastPath });
  const [error] = await once(http.get({ port: await echo(), host: '127.0.0.1', agent }), 'error');
  expect(error).toMatchObject(PLATFORM);
});

test('a registration does nothing', async () => {
  const connect = net.Socket.prototype.connect;
  const unregister = registerLoopbackFastPath();
  expect(net.Socket.prototype.connect).toBe(connect);
  expect(hasSubscribers('tracing:net.server.listen:asyncStart')).toBe(false);
  const socket = closing(net.connect(await echo(), '127.0.0.1'));
  await once(socket, 'connect');
  expect(getLoopbackFastPathStatus(socket)).toEqual({ state: 'off' });
  expect(net.Socket.prototype.connect).toBe(connect);
  unregister();
});
