// msw: fetch() and http mocked, and passed on.
import http from 'node:http';
import { HttpResponse, http as mock, passthrough } from 'msw';
import { setupServer } from 'msw/node';
import { closed, listening } from '../listening.mjs';

const server = http.createServer((_request, response) => response.end('real'));
const url = `http://127.0.0.1:${await listening(server)}/`;
const mocks = setupServer(
  mock.get('http://far.test/', () => HttpResponse.text('mocked')),
  mock.get(url, () => passthrough()),
);
mocks.listen({ onUnhandledRequest: 'error' });
const get = async (url) => {
  const request = http.get(url, { agent: false });
  const response = await new Promise((resolve, reject) => request.on('response', resolve).on('error', reject));
  return (await response.toArray()).join('');
};
for (const address of ['http://far.test/', url]) {
  console.log(await (await fetch(address, { headers: { connection: 'close' } })).text(), await get(address));
}
mocks.close();
console.log(await get(url));
await closed(server);
