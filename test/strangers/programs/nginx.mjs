// nginx before a WebSocket server of the package `websocket`.
import http from 'node:http';
import websocket from 'websocket';
import { closed, listening } from '../listening.mjs';

const server = http.createServer((_request, response) => response.end('plain'));
const sockets = new websocket.server({ httpServer: server, autoAcceptConnections: true });
sockets.on('connect', (connection) =>
  connection.on('message', ({ utf8Data }) => connection.sendUTF(`${utf8Data} pong`)),
);
const port = await listening(server);
const front = process.env.LOOPBACK_TEST_NGINX;
console.log(await (await fetch(`${front}/?port=${port}`, { headers: { connection: 'close' } })).text());
const client = new websocket.client();
client.on('connectFailed', (error) => console.log(error.message));
const closing = new Promise((resolve) =>
  client.on('connect', (connection) => {
    connection.on('message', ({ utf8Data }) => {
      console.log(utf8Data);
      connection.close();
    });
    connection.on('close', resolve);
    connection.sendUTF('ping');
  }),
);
client.connect(`${front.replace('http', 'ws')}/?port=${port}`);
console.log(await closing);
await closed(server);
