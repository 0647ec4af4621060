// Thrift's connection, which finds nobody at first and connects again by itself.
import { once } from 'node:events';
import net from 'node:net';
import thrift from 'thrift';
import { closed, listening } from '../listening.mjs';

const reserved = net.createServer();
const port = await listening(reserved);
await closed(reserved);
const connection = thrift.createConnection('127.0.0.1', port, { max_attempts: 50, retry_max_delay: 50 });
connection.on('error', ({ code }) => console.log(code));
await once(connection, 'error').catch(({ code }) => console.log(code));
const server = net.createServer((socket) => socket.pipe(socket)).listen(port, '127.0.0.1');
const later = thrift.createConnection('127.0.0.1', port, {});
await once(later, 'connect');
console.log('connected');
const over = once(later, 'close');
later.end();
connection.end();
await over;
await closed(server);
