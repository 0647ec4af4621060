// What a program does with the package, for test/package/managers.test.ts and
// test/package/bundlers.test.ts. Leaves what the system said in result.json.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import net from 'node:net';
import { text } from 'node:stream/consumers';

const NAMES = [
  'FastPathAgent',
  'FastPathHttpsAgent',
  'LoopbackFastPathError',
  'WINSOCK_ERROR_CODES',
  'createFastPathConnection',
  'disableLoopbackFastPath',
  'enableLoopbackFastPath',
  'fastPathConnector',
  'getLoopbackFastPathStatus',
  'isLoopbackFastPathError',
  'probeLoopbackFastPath',
  'registerLoopbackFastPath',
  'runWithLoopbackFastPath',
  'tryEnableLoopbackFastPath',
];

/** Checks that the binary is there and that armed sockets carry data. @param fastPath the package's exports */
export async function use(fastPath) {
  assert.deepEqual(Object.keys(fastPath).sort(), NAMES);
  const probe = fastPath.probeLoopbackFastPath();
  console.log(probe);
  // One of the package's own errors, and not the system's answer: no binary.
  if (!probe.supported && probe.error.code.startsWith('ERR_')) throw probe.error;
  const answer = probe.supported ? 'supported' : probe.error.code;

  const server = net.createServer((socket) => socket.pipe(socket));
  fastPath.tryEnableLoopbackFastPath(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const socket = net.connect(server.address().port, '127.0.0.1');
  fastPath.tryEnableLoopbackFastPath(socket);
  const data = 'loopback '.repeat(20_000);
  socket.end(data);
  assert.equal(await text(socket), data);
  server.close();

  for (const target of [server, socket]) {
    const { state, error } = fastPath.getLoopbackFastPathStatus(target);
    assert.equal(state === 'applied' ? 'supported' : error?.code, answer);
  }
  writeFileSync('result.json', JSON.stringify({ answer, node: process.version }));
}
