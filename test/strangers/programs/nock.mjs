// nock: mocked hosts, near and far, and a real one let through. Node 22 or newer.
import http from 'node:http';
import axios from 'axios';
import nock from 'nock';
import { closed, listening } from '../listening.mjs';

const server = http.createServer((_request, response) => response.end('real'));
const url = `http://127.0.0.1:${await listening(server)}`;
nock('http://far.test').get('/').times(20).reply(200, 'mocked');
nock('http://127.0.0.1:1').get('/').reply(200, 'mocked near');
nock('http://127.0.0.1:2').get('/').replyWithError('refused');
nock.enableNetConnect(/127\.0\.0\.1/);
const get = async (url) => (await axios.get(url, { adapter: 'http', headers: { connection: 'close' } })).data;
console.log(new Set(await Promise.all(Array.from({ length: 20 }, () => get('http://far.test/')))));
console.log(await get('http://127.0.0.1:1/'), await get('http://127.0.0.1:2/').catch(({ message }) => message));
console.log(await get(url), nock.isDone());
nock.restore();
console.log(await get(url));
await closed(server);
