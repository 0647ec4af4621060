// Connect's transport over HTTP/2: its session manager opens, shares and ends a session.
import http2 from 'node:http2';
import { createNodeHttpClient, Http2SessionManager } from '@connectrpc/connect-node';
import { closed, listening } from '../listening.mjs';

const server = http2.createServer();
server.on('stream', (stream, headers) => stream.end(`said ${headers[':path']}`));
const baseUrl = `http://127.0.0.1:${await listening(server)}`;
const sessionProvider = new Http2SessionManager(baseUrl);
const client = createNodeHttpClient({ httpVersion: '2', sessionProvider: () => sessionProvider });
const answers = await Promise.all(
  ['/one', '/two'].map(async (path) => {
    const { body } = await client({ url: baseUrl + path, method: 'GET', header: new Headers() });
    const parts = [];
    for await (const part of body) parts.push(part);
    return Buffer.concat(parts).toString();
  }),
);
console.log(answers, sessionProvider.state());
sessionProvider.abort();
await closed(server);
