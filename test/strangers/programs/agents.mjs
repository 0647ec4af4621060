// agentkeepalive and hpagent, with names that cacheable-lookup looks up.
// By context: Node 24 or newer; before, the event 'connect' of http is not in one.
import http from 'node:http';
import net from 'node:net';
import Agent from 'agentkeepalive';
import CacheableLookup from 'cacheable-lookup';
import { HttpProxyAgent } from 'hpagent';
import { closed, listening } from '../listening.mjs';

const server = http.createServer((request, response) => response.end(request.url));
const port = await listening(server);
server.on('connect', (_request, socket) => {
  const target = net.connect(port, '127.0.0.1', () => socket.write('HTTP/1.1 200 Connected\r\n\r\n'));
  socket.pipe(target).pipe(socket);
});
const get = async (agent, options) => {
  const request = http.get({ host: '127.0.0.1', port, path: '/kept', agent, ...options });
  const response = await new Promise((resolve, reject) => request.on('response', resolve).on('error', reject));
  return (await response.toArray()).join('');
};
const kept = new Agent({ maxSockets: 2 });
console.log(await Promise.all([1, 2, 3].map(() => get(kept))), kept.getCurrentStatus().createSocketCount);
kept.destroy();
const cache = new CacheableLookup({
  lookup: (_name, _options, done) => done(null, [{ address: '127.0.0.1', family: 4 }]),
});
const named = new Agent();
console.log(await get(named, { host: 'localhost', family: 4, lookup: cache.lookup }).catch(({ code }) => code));
named.destroy();
const proxied = new HttpProxyAgent({ proxy: `http://127.0.0.1:${port}` });
console.log(await get(proxied));
proxied.destroy();
await closed(server);
