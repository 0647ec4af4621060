// A cluster of one worker with an armed echo server; the primary connects to it
// and tells its own parent what became of both. The arguments are the options of
// listen() and those of the fast path; `context` after them has it listen in a context.

import cluster from 'node:cluster';
import { once } from 'node:events';
import net from 'node:net';
import './answered.mjs';
import { getLoopbackFastPathStatus, runWithLoopbackFastPath, tryEnableLoopbackFastPath } from 'loopback-fast-path';

async function echoed(port) {
  const socket = net.connect(port, '127.0.0.1');
  socket.write('ping');
  const [data] = await once(socket, 'data');
  socket.destroy();
  return String(data);
}

if (cluster.isPrimary) {
  const worker = cluster.fork();
  const [{ port, ...told }] = await once(worker, 'message');
  const result = port === undefined ? told : { ...told, echoed: await echoed(port) };
  process.send(result, () => {
    worker.kill();
    process.disconnect();
  });
} else {
  const server = net.createServer((socket) => socket.pipe(socket).on('error', () => {}));
  const [listen, fastPath] = process.argv.slice(2, 4).map((text) => JSON.parse(text));
  const inContext = process.argv[4] === 'context';
  if (!inContext) tryEnableLoopbackFastPath(server, fastPath);
  server.on('error', ({ code, message }) => {
    process.send({ code, message, listening: server.listening, status: getLoopbackFastPathStatus(server) });
  });
  const begin = () =>
    server.listen({ port: 0, host: '127.0.0.1', ...listen }, () => {
      const { error, ...status } = getLoopbackFastPathStatus(server);
      process.send({ port: server.address().port, status: { ...status, error: error?.code } });
    });
  if (inContext) runWithLoopbackFastPath(fastPath, begin);
  else begin();
}
