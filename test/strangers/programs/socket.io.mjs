// Socket.IO: polling, then an upgrade to WebSocket.
import http from 'node:http';
import { Server } from 'socket.io';
import { io } from 'socket.io-client';
import { listening } from '../listening.mjs';

const server = http.createServer();
const sockets = new Server(server);
sockets.on('connection', (socket) => socket.on('ping me', (n, done) => done(n + 1)));
const client = io(`http://127.0.0.1:${await listening(server)}`);
const upgraded = new Promise((resolve) => client.io.once('open', () => client.io.engine.once('upgrade', resolve)));
console.log(await client.emitWithAck('ping me', 1));
console.log((await upgraded).name, await client.emitWithAck('ping me', 2));
client.disconnect();
await sockets.close();
