// mitm, which takes net.connect() away, gives it back, and lets some through.
import http from 'node:http';
import Mitm from 'mitm';
import { closed, listening } from '../listening.mjs';

const server = http.createServer((_request, response) => response.end('real'));
const port = await listening(server);
const get = async (port) => {
  const request = http.get({ host: '127.0.0.1', port, agent: false });
  const response = await new Promise((resolve, reject) => request.on('response', resolve).on('error', reject));
  return (await response.toArray()).join('');
};
const mitm = Mitm();
mitm.on('connect', (socket, options) => Number(options.port) === port && socket.bypass());
mitm.on('request', (_request, response) => response.end('mocked'));
console.log(await get(1), await get(port));
mitm.disable();
console.log(await get(port));
await closed(server);
