// undici's MockAgent and MockPool, with connections to real servers beside them.
import http from 'node:http';
import { MockAgent, request } from 'undici';
import { closed, listening } from '../listening.mjs';

const server = http.createServer((_request, response) => response.end('real'));
const url = `http://127.0.0.1:${await listening(server)}`;
const dispatcher = new MockAgent();
dispatcher.enableNetConnect(/127\.0\.0\.1/);
dispatcher.get('http://far.test').intercept({ path: '/' }).reply(200, 'mocked').persist();
const get = async (url) => (await request(url, { dispatcher })).body.text();
console.log(await get('http://far.test/'), await get('http://far.test/'), await get(url));
await dispatcher.close();
await closed(server);
