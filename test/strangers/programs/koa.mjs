// Koa asked by superagent and needle: a redirect, a cookie, a body that streams.
import { once } from 'node:events';
import { Readable } from 'node:stream';
import Koa from 'koa';
import needle from 'needle';
import superagent from 'superagent';
import { closed } from '../listening.mjs';

const app = new Koa();
app.use((context) => {
  context.set('connection', 'close');
  if (context.path === '/from') {
    context.cookies.set('known', 'yes');
    context.redirect('/to');
  } else context.body = Readable.from([`cookie ${context.cookies.get('known')}, `, context.method]);
});
const server = app.listen(0, '127.0.0.1');
await once(server, 'listening');
const url = `http://127.0.0.1:${server.address().port}`;
console.log((await superagent.agent().get(`${url}/from`).buffer(true).parse(superagent.parse.text)).text);
console.log((await needle('post', `${url}/to`, 'data')).body.toString());
await closed(server);
