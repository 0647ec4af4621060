// hapi, with node-fetch, stopped while a request is under way.
import hapi from '@hapi/hapi';
import fetch from 'node-fetch';

const server = hapi.server({ host: '127.0.0.1', port: 0 });
let asked;
const isAsked = new Promise((resolve) => (asked = resolve));
server.route({
  method: 'GET',
  path: '/slow',
  handler: async () => {
    asked();
    await new Promise((resolve) => setTimeout(resolve, 100));
    return 'late, but complete';
  },
});
await server.start();
const answer = fetch(`${server.info.uri}/slow`);
await isAsked;
await server.stop({ timeout: 5000 });
console.log(await (await answer).text());
