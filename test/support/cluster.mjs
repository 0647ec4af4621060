// A cluster of one worker with an armed echo server; the primary connects to it
// and tells its own parent what became of both.

import cluster from 'node:cluster';
import { once } from 'node:events';
import net from 'node:net';
import './answered.mjs';
import { getLoopbackFastPathStatus, tryEnableLoopbackFastPath } from 'loopback-fast-path';

if (cluster.isPrimary) {
  const worker = cluster.fork();
  const [{ port, status }] = await once(worker, 'message');
  const socket = net.connect(port, '127.0.0.1');
  socket.write('ping');
  const [data] = await once(socket, 'data');
  socket.destroy();
  process.send({ status, echoed: String(data) }, () => {
    worker.kill();
    process.disconnect();
  });
} else {
  const server = net.createServer((socket) => socket.pipe(socket).on('error', () => {}));
  tryEnableLoopbackFastPath(server);
  server.listen({ port: 0, host: '127.0.0.1', ...JSON.parse(process.argv[2]) }, () => {
    const { error, ...status } = getLoopbackFastPathStatus(server);
    process.send({ port: server.address().port, status: { ...status, error: error?.code } });
  });
}
