// stoppable, http-terminator, http-graceful-shutdown and terminus, each with a
// connection that is kept alive and one in a request.
import http from 'node:http';
import terminus from '@godaddy/terminus';
import gracefulShutdown from 'http-graceful-shutdown';
import { createHttpTerminator } from 'http-terminator';
import stoppable from 'stoppable';
import { listening } from '../listening.mjs';

const ways = {
  stoppable: (server) => () => new Promise((resolve) => stoppable(server, 1000).stop(resolve)),
  'http-terminator': (server) => createHttpTerminator({ server }).terminate,
  'http-graceful-shutdown': (server) => gracefulShutdown(server, { forceExit: false, signals: '' }),
  terminus: (server) => {
    terminus.createTerminus(server, { healthChecks: { '/healthy': async () => 'fine' }, signals: [] });
    return () => new Promise((resolve) => server.close(resolve));
  },
};
for (const [name, prepare] of Object.entries(ways)) {
  let asked;
  const isAsked = new Promise((resolve) => (asked = resolve));
  const server = http.createServer((request, response) => {
    if (request.url === '/slow') asked();
    setTimeout(() => response.end('done'), request.url === '/slow' ? 100 : 0);
  });
  const stop = prepare(server);
  const port = await listening(server);
  const agent = new http.Agent({ keepAlive: true });
  const get = (path) =>
    new Promise((resolve, reject) => {
      const request = http.get({ host: '127.0.0.1', port, path, agent });
      request.on('error', reject);
      request.on('response', async (response) => resolve(String(await response.setEncoding('utf8').toArray())));
    });
  console.log(name, await get('/'));
  const slow = get('/slow');
  await isAsked;
  await Promise.all([stop(), slow.then(console.log)]);
  agent.destroy();
}
