// HAProxy between got and a server of Express, which gives up twice.
import express from 'express';
import got from 'got';
import { closed } from '../listening.mjs';

let calls = 0;
const app = express();
app.get('/', (_request, response) => (++calls < 3 ? response.sendStatus(503) : response.json({ calls })));
const server = await new Promise((resolve) => {
  const server = app.listen(0, '127.0.0.1', () => resolve(server));
});
const searchParams = { port: server.address().port };
const retry = { limit: 3, calculateDelay: ({ computedValue }) => computedValue && 1 };
console.log(
  await got(process.env.LOOPBACK_TEST_HAPROXY, { searchParams, retry, headers: { connection: 'close' } }).json(),
);
await closed(server);
