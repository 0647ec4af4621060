// proxy-chain, and https-proxy-agent through it: CONNECT, refused and taken.
// By context: Node 24 or newer; before, the events 'upgrade' and 'connect' of http are not in one.
import http from 'node:http';
import { HttpsProxyAgent } from 'https-proxy-agent';
import { Server } from 'proxy-chain';
import { closed, listening } from '../listening.mjs';

const target = http.createServer((_request, response) => response.end('reached'));
const port = await listening(target);
const proxy = new Server({
  host: '127.0.0.1',
  port: 0,
  prepareRequestFunction: ({ username }) => ({ requestAuthentication: username !== 'known' }),
});
await proxy.listen();
const get = (user) =>
  new Promise((resolve) => {
    const agent = new HttpsProxyAgent(`http://${user}:secret@127.0.0.1:${proxy.port}`);
    const request = http.get(`http://127.0.0.1:${port}`, { agent, headers: { connection: 'close' } });
    request.on('response', async (response) => resolve([response.statusCode, (await response.toArray()).join('')]));
    request.on('error', ({ code }) => resolve(code));
  });
console.log(await get('known'));
console.log((await get('unknown'))[0]);
await proxy.close(true);
await closed(target);
