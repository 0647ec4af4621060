// Statements of docs/platform.md that no other test is about.

import { once } from 'node:events';
import * as net from 'node:net';
import { enableLoopbackFastPath, getLoopbackFastPathStatus } from 'loopback-fast-path';
import { expect, test } from 'vitest';
import { answer, fastPathCalls, THE_SYSTEM_ACCEPTS, take, useRecorder } from '../support/recorder.js';
import { closing, echo, exchange, listening } from '../support/sockets.js';

useRecorder(THE_SYSTEM_ACCEPTS);

const APPLIED = { state: 'applied', family: 4, address: '127.0.0.1' };

async function connected(port: number, arm = (_socket: net.Socket) => {}): Promise<net.Socket> {
  const socket = closing(net.connect(port, '127.0.0.1'));
  arm(socket);
  await once(socket, 'connect');
  return socket;
}

test.each([
  ['neither end', false, false],
  ['the client alone', true, false],
  ['the server alone', false, true],
  ['both ends', true, true],
])('B1: data flows with %s armed', async (_who, client, listener) => {
  const server = net.createServer((socket) => socket.pipe(socket));
  if (listener) enableLoopbackFastPath(server);
  const port = await listening(server);
  const socket = await connected(port, (socket) => client && enableLoopbackFastPath(socket));
  expect(fastPathCalls(take())).toHaveLength(Number(client) + Number(listener));
  expect(await exchange(socket)).toBe('ping');
});

test('B4: the SOCKETs that a listener accepts get no ioctl of their own', async () => {
  const server = net.createServer((socket) => socket.pipe(socket));
  enableLoopbackFastPath(server);
  const port = await listening(server);
  expect(fastPathCalls(take())).toHaveLength(1);
  for (let i = 0; i < 3; ++i) expect(await exchange(await connected(port))).toBe('ping');
  expect(fastPathCalls(take())).toEqual([]);
});

test('B9: what was accepted is called applied, and nothing more', async () => {
  const socket = await connected(await echo(), enableLoopbackFastPath);
  expect(getLoopbackFastPathStatus(socket)).toEqual(APPLIED);
});

test('B10: a socket that is not enabled gets no ioctl', async () => {
  expect(await exchange(await connected(await echo()))).toBe('ping');
  expect(fastPathCalls(take())).toEqual([]);
});

test('B11: the options that Node sets go to the same SOCKET, after the ioctl, and are accepted', async () => {
  const socket = closing(
    net.connect({ port: await echo(), host: '127.0.0.1', noDelay: true, keepAlive: true, keepAliveInitialDelay: 1000 }),
  );
  take();
  enableLoopbackFastPath(socket);
  await once(socket, 'connect');
  expect(await exchange(socket)).toBe('ping');
  const calls = take();
  const [ioctl] = fastPathCalls(calls);
  const options = calls.filter(({ call, socket }) => call === 'setsockopt' && socket === ioctl?.socket);
  const TCP_NODELAY = { level: 6, code: 1, error: 0 };
  const SO_KEEPALIVE = { level: 0xffff, code: 8, error: 0 };
  expect(options).toEqual(
    expect.arrayContaining([expect.objectContaining(TCP_NODELAY), expect.objectContaining(SO_KEEPALIVE)]),
  );
});

test('B13: the system is never asked whether a connection is on the fast path', async () => {
  answer([0], 10022);
  const socket = await connected(await echo(), enableLoopbackFastPath);
  take();
  for (let i = 0; i < 3; ++i) expect(getLoopbackFastPathStatus(socket)).toEqual(APPLIED);
  expect(take()).toHaveLength(0);
});
