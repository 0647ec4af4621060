// jayson: JSON-RPC over TCP and over HTTP.
import { once } from 'node:events';
import jayson from 'jayson/promise/index.js';
import { closed } from '../listening.mjs';

const methods = { add: async ([a, b]) => a + b };
for (const kind of ['tcp', 'http']) {
  const server = new jayson.Server(methods)[kind]().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = jayson.Client[kind]({ host: '127.0.0.1', port: server.address().port });
  console.log(kind, (await client.request('add', [1, 2])).result, (await client.request('none', [])).error.code);
  server.closeIdleConnections?.();
  await closed(server);
}
