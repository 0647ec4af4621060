// get-port, detect-port, portfinder, tcp-port-used and wait-on: who listens where.
import net from 'node:net';
import { detect } from 'detect-port';
import getPort from 'get-port';
import portfinder from 'portfinder';
import tcpPortUsed from 'tcp-port-used';
import waitOn from 'wait-on';
import { closed, listening } from '../listening.mjs';

const server = net.createServer((socket) => socket.end());
const taken = await listening(server);
console.log((await getPort({ port: taken, host: '127.0.0.1' })) !== taken, (await getPort()) > 0);
console.log((await detect({ port: taken, hostname: '127.0.0.1' })) !== taken);
console.log((await portfinder.getPortPromise({ port: taken, host: '127.0.0.1' })) !== taken);
console.log(await tcpPortUsed.check(taken, '127.0.0.1'));
await waitOn({ resources: [`tcp:127.0.0.1:${taken}`], timeout: 20_000 });
console.log('waited');
await closed(server);
console.log(await tcpPortUsed.check(taken, '127.0.0.1'));
