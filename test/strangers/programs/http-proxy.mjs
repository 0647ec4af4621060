// http-proxy-3: requests and an upgrade on the way to a server.
// By context: Node 24 or newer; before, the events 'upgrade' and 'connect' of http are not in one.
import http from 'node:http';
import { createProxyServer } from 'http-proxy-3';
import { closed, listening } from '../listening.mjs';

const server = http.createServer((request, response) => response.end(`${request.method} ${request.url}`));
server.on('upgrade', (_request, socket) =>
  socket.end('HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\nraw'),
);
const proxy = createProxyServer({ target: `http://127.0.0.1:${await listening(server)}`, ws: true });
const front = http.createServer((request, response) => proxy.web(request, response));
front.on('upgrade', (request, socket, head) => proxy.ws(request, socket, head));
const port = await listening(front);
const answer = await fetch(`http://127.0.0.1:${port}/path`, { method: 'POST', headers: { connection: 'close' } });
console.log(await answer.text());
const request = http.get({ host: '127.0.0.1', port, headers: { connection: 'upgrade', upgrade: 'websocket' } });
const raw = await new Promise((resolve, reject) => {
  request.on('error', reject);
  request.on('upgrade', (_response, socket, head) => {
    let text = String(head);
    socket.on('data', (data) => (text += data));
    socket.on('end', () => {
      socket.end();
      resolve(text);
    });
  });
});
console.log(raw);
await closed(front);
await closed(server);
