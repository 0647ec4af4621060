// A listener that two processes share, in programs that know nothing of this
// package: the first argument says how, the second what listen() gets. Prints
// what the process that accepted has echoed.

import { fork } from 'node:child_process';
import cluster from 'node:cluster';
import { once } from 'node:events';
import net from 'node:net';
import { fileURLToPath } from 'node:url';

const [how, options] = process.argv.slice(2);
const echo = () => net.createServer((socket) => socket.on('error', () => {}).pipe(socket));
const listen = { port: 0, host: '127.0.0.1', ...JSON.parse(options) };

async function talk(port) {
  const socket = net.connect(port, '127.0.0.1');
  socket.write('ping');
  const [data] = await once(socket, 'data');
  console.log(String(data));
  socket.end();
  await once(socket.resume(), 'close');
}

const parts = {
  async 'cluster primary'() {
    const worker = cluster.fork();
    const [port] = await once(worker, 'message');
    await talk(port);
    worker.disconnect();
  },
  'cluster worker'() {
    const server = echo().listen(listen, () => process.send(server.address().port));
    process.once('disconnect', () => server.close());
  },
  async 'send parent'() {
    const child = fork(fileURLToPath(import.meta.url), ['receive', options]);
    const server = echo().listen(listen);
    await once(server, 'listening');
    const { port } = server.address();
    child.send('server', server);
    await once(child, 'message');
    // From now on only the child accepts.
    server.close();
    await talk(port);
    child.disconnect();
  },
  receive() {
    process.once('message', (_message, server) => {
      server.on('connection', (socket) => socket.on('error', () => {}).pipe(socket));
      process.once('disconnect', () => server.close());
      process.send('got it');
    });
  },
};

const part = how === 'cluster' ? `cluster ${cluster.isPrimary ? 'primary' : 'worker'}` : how;
await parts[part]();
