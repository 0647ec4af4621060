import http from 'node:http';
import net from 'node:net';
import { tryEnableLoopbackFastPath } from 'loopback-fast-path';
import { plain } from './status.js';

const REQUESTS = 200;
const port = Number(process.argv[2]);
const sockets = [];

const agent = new http.Agent({ keepAlive: true, maxSockets: 2 });
agent.createConnection = (options, listener) => {
  const socket = net.createConnection(options, listener);
  tryEnableLoopbackFastPath(socket);
  sockets.push(socket);
  return socket;
};

function get(path) {
  return new Promise((resolve, reject) => {
    http
      .get({ host: '127.0.0.1', port, path, agent }, async (response) => {
        resolve((await response.setEncoding('utf8').toArray()).join(''));
      })
      .on('error', reject);
  });
}

let right = 0;
await Promise.all(
  Array.from({ length: REQUESTS }, async (_, index) => {
    if ((await get(`/${index}`)) === `You asked for /${index}\n`) right += 1;
  }),
);
process.send({
  statuses: sockets.map((socket, index) => [`http socket ${index + 1}`, plain(socket)]),
  total: `${right} of ${REQUESTS} answers right`,
});
agent.destroy();
process.disconnect();
