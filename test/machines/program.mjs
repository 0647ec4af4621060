// What vitest cannot be had for: node.exe for arm64 and ia32. Runs beside
// node_modules with the package as it is published; the argument is the
// architecture. One line of JSON for each check, and one at the end.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import net from 'node:net';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';

const [arch] = process.argv.slice(2);
// What Wine answers to the ioctl.
const WSAEOPNOTSUPP = 10045;

const require = createRequire(import.meta.url);

async function check(name, action) {
  try {
    await action();
    console.log(JSON.stringify({ check: name, ok: true }));
  } catch (error) {
    console.log(JSON.stringify({ check: name, ok: false, error: error?.stack ?? String(error) }));
  }
}

async function listening(server) {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server.address().port;
}

/** What comes back through a socket until the other end closes. */
async function exchange(socket, data) {
  socket.end(data);
  const chunks = [];
  for await (const chunk of socket) chunks.push(chunk);
  return Buffer.concat(chunks);
}

function assertRefused({ state, error }) {
  assert.equal(state, 'failed');
  assert.equal(error.code, 'WSAEOPNOTSUPP');
  assert.equal(error.errno, WSAEOPNOTSUPP);
}

await check(`this is node.exe for ${arch}`, () => {
  assert.deepEqual([process.platform, process.arch], ['win32', arch]);
});

const binding = require(`./node_modules/loopback-fast-path/prebuilds/win32-${arch}/loopback-fast-path.node`);

await check('the binary finds the functions of the host', () => {
  assert.deepEqual(Object.keys(binding).sort(), ['isLayered', 'probe', 'setFastPath', 'tcpInfo']);
});

await check('isLayered() reaches Winsock', () => {
  assert.equal(binding.isLayered(4), false);
  assert.equal(binding.isLayered(6), false);
});

await check('probe() reaches Winsock', () => {
  const { errno, syscall, message } = binding.probe(4, true);
  assert.deepEqual([errno, syscall], [WSAEOPNOTSUPP, 'WSAIoctl']);
  assert.equal(typeof message, 'string');
  assert.equal(binding.probe(6, false).errno, WSAEOPNOTSUPP);
});

await check('setFastPath() finds the SOCKET of a server among others', async () => {
  const servers = Array.from({ length: 20 }, () => net.createServer());
  await Promise.all(servers.map(listening));
  for (const { _handle } of servers) {
    assert.equal(binding.setFastPath(_handle, true, 4, 0).errno, WSAEOPNOTSUPP);
    assert.equal(_handle.hasRef(), true);
  }
  for (const server of servers) server.close();
});

await check('tcpInfo() finds it as well', async () => {
  const server = net.createServer();
  await listening(server);
  const { errno, syscall } = binding.tcpInfo(server._handle);
  assert.deepEqual([errno, syscall], [WSAEOPNOTSUPP, 'WSAIoctl']);
  server.close();
});

await check('setFastPath() says of another handle that it is none', () => {
  const handle = { hasRef: () => true, ref() {}, unref() {} };
  assert.equal(binding.setFastPath(handle, true, 4, 0), 'not-tcp');
});

await check('wrong arguments throw a TypeError', () => {
  for (const args of [[], [undefined, true, 4, 0], [{}, 1, 4, 0], [{}, true, 5, 0], [{}, true, 4, false]]) {
    assert.throws(() => binding.setFastPath(...args), TypeError);
  }
  for (const args of [[], [4], [4.5, true], ['4', true], [4, 1]]) {
    assert.throws(() => binding.probe(...args), TypeError);
  }
  // Two calls of JavaScript deep, with frames of the binary in between.
  const thrown = new Error('from ref()');
  const handle = {
    hasRef: () => true,
    unref() {},
    ref() {
      throw thrown;
    },
  };
  assert.throws(() => binding.setFastPath(handle, true, 4, 0), thrown);
});

const fastPath = await import('loopback-fast-path');

await check('probeLoopbackFastPath() tells why not', () => {
  const { supported, error } = fastPath.probeLoopbackFastPath();
  assert.equal(supported, false);
  assertRefused({ state: 'failed', error });
});

await check('a refused client and a refused server exchange data unharmed', async () => {
  const server = net.createServer({ allowHalfOpen: true }, (socket) => socket.pipe(socket));
  assert.equal(fastPath.tryEnableLoopbackFastPath(server), false);
  const port = await listening(server);
  assertRefused(fastPath.getLoopbackFastPathStatus(server));

  const client = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  assert.equal(fastPath.tryEnableLoopbackFastPath(client), false);
  const data = randomBytes(300_000);
  const echoed = await exchange(client, data);
  assert.ok(data.equals(echoed), `${echoed.length} bytes came back, and not those`);
  assertRefused(fastPath.getLoopbackFastPathStatus(client));
  server.close();
});

const { nativePath, systemFolder } = await import('./node_modules/loopback-fast-path/dist/cli/system.js');

await check("doctor looks into Windows' own folder, and in a 32-bit process past the one in its place", () => {
  const { SystemRoot } = process.env;
  const seen = join(SystemRoot, 'system32', 'ntdll.dll');
  const machineOf = (file) => {
    const bytes = readFileSync(file);
    return bytes.readUInt16LE(bytes.readUInt32LE(60) + 4);
  };
  // IMAGE_FILE_MACHINE_AMD64, IMAGE_FILE_MACHINE_ARM64.
  assert.equal(machineOf(nativePath(seen)), arch === 'arm64' ? 0xaa64 : 0x8664);
  assert.equal(systemFolder(), join(SystemRoot, arch === 'ia32' ? 'Sysnative' : 'System32'));
  for (const file of ['D:\\System32\\x.sys', join(SystemRoot, 'System32x', 'x.sys')]) {
    assert.equal(nativePath(file), file);
  }
});

await check(`the entry point for ${arch} alone works, in a thread`, async () => {
  const worker = new Worker(
    `const { probeLoopbackFastPath } = require('loopback-fast-path/win32-${arch}');
     require('node:worker_threads').parentPort.postMessage(probeLoopbackFastPath().error.code);`,
    { eval: true },
  );
  const [code] = await once(worker, 'message');
  assert.equal(code, 'WSAEOPNOTSUPP');
  await worker.terminate();
});

console.log(JSON.stringify({ done: true }));
process.exit();
