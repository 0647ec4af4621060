// ssh2: a command on OpenSSH, and a connection that OpenSSH makes to a server here.
import { once } from 'node:events';
import net from 'node:net';
import ssh2 from 'ssh2';
import { closed, listening } from '../listening.mjs';

const { hostname: host, port, username, password } = new URL(process.env.LOOPBACK_TEST_SSH);
const client = new ssh2.Client().connect({ host, port: Number(port), username, password });
await once(client, 'ready');
const command = await new Promise((resolve, reject) =>
  client.exec('echo hello; exit 3', (error, stream) => (error ? reject(error) : resolve(stream))),
);
command.on('data', (data) => console.log(String(data).trim()));
console.log(await once(command, 'close'));
const server = net.createServer((socket) => socket.end('forwarded'));
const target = await listening(server);
const tunnel = await new Promise((resolve, reject) =>
  client.forwardOut('127.0.0.1', 1, '127.0.0.1', target, (error, stream) => (error ? reject(error) : resolve(stream))),
);
console.log((await tunnel.setEncoding('utf8').toArray()).join(''));
// Node 24.21 leaves a stream open that toArray() has read to its end.
tunnel.destroy();
await closed(server);
client.end();
