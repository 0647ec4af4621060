// A program that becomes one executable, with the addon as an asset in it.

import { mkdtempSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getRawAsset, isSea } from 'node:sea';
import {
  getLoopbackFastPathStatus,
  probeLoopbackFastPath,
  tryEnableLoopbackFastPath,
  useBinary,
} from 'loopback-fast-path/custom';

useBinary(() => {
  // Windows loads addons from files only.
  const file = join(mkdtempSync(join(tmpdir(), 'app-')), 'loopback-fast-path.node');
  writeFileSync(file, new Uint8Array(getRawAsset('loopback-fast-path.node')));
  const module = { exports: {} };
  process.dlopen(module, file);
  return module.exports;
});

const server = net.createServer((socket) => socket.end('pong'));
tryEnableLoopbackFastPath(server);
server.listen(0, '127.0.0.1', () => {
  const socket = net.connect(server.address().port, '127.0.0.1');
  tryEnableLoopbackFastPath(socket);
  socket.on('data', (data) => {
    const probe = probeLoopbackFastPath();
    const state = (target) => {
      const status = getLoopbackFastPathStatus(target);
      return status.error?.code ?? status.state;
    };
    console.log(
      JSON.stringify({
        isSea: isSea(),
        data: String(data),
        server: state(server),
        socket: state(socket),
        probe: probe.supported || probe.error.code,
      }),
    );
    server.close();
  });
});
