import { once } from 'node:events';
import { createRequire } from 'node:module';
import * as net from 'node:net';
import * as imported from 'loopback-fast-path';

const { createFastPathConnection, getLoopbackFastPathStatus, probeLoopbackFastPath } = imported;

// Of vitest, as its option `globals` gives them.
const { expect, test } = globalThis;

test('data passes, and the status says why it is an ordinary connection', async () => {
  const server = net.createServer((socket) => socket.pipe(socket)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const socket = createFastPathConnection(server.address().port, '127.0.0.1');
  await once(socket, 'connect');
  socket.end('ping');
  expect(String((await once(socket, 'data'))[0])).toBe('ping');
  expect(getLoopbackFastPathStatus(socket).error.code).toBe(probeLoopbackFastPath().error.code);
  server.close();
});

test('require() returns the same', () => {
  expect({ ...createRequire(import.meta.url)('loopback-fast-path') }).toEqual({ ...imported });
});
