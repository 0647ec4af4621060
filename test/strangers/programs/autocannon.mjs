// autocannon: many requests on ten connections.
import http from 'node:http';
import autocannon from 'autocannon';
import { closed, listening } from '../listening.mjs';

const server = http.createServer((_request, response) => response.end('ok'));
const url = `http://127.0.0.1:${await listening(server)}`;
const { errors, timeouts, non2xx, '2xx': ok } = await autocannon({ url, connections: 10, amount: 500 });
console.log({ errors, timeouts, non2xx, ok });
await closed(server);
