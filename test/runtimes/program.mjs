// What the package does in a runtime whose sockets are not Node's own, or on a system
// without the ioctl. Leaves what happened in result.json. Imports what it is told to, by
// default the package.

import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import * as http from 'node:http';
import * as https from 'node:https';
import * as net from 'node:net';
import { text } from 'node:stream/consumers';

const {
  createFastPathConnection,
  disableLoopbackFastPath,
  enableLoopbackFastPath,
  FastPathAgent,
  fastPathConnector,
  getLoopbackFastPathStatus,
  probeLoopbackFastPath,
  registerLoopbackFastPath,
  runWithLoopbackFastPath,
  tryEnableLoopbackFastPath,
} = await import(process.argv[2] ?? 'loopback-fast-path');

const codeOf = ({ code, message }) => code ?? message;
const status = (target) => {
  const { state, error } = getLoopbackFastPathStatus(target);
  return error === undefined ? state : codeOf(error);
};
const thrown = (call) => {
  try {
    call();
    return 'nothing';
  } catch (error) {
    return codeOf(error);
  }
};
const listening = async (server) => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server.address().port;
};
/** Whether it connects, or what it ends with. */
const outcome = (socket) =>
  new Promise((resolve) => {
    socket.on('error', (error) => resolve(codeOf(error)));
    socket.on('connect', () => resolve('connected'));
  });
const get = (port, options) =>
  new Promise((resolve) => {
    const request = http.get({ port, host: '127.0.0.1', ...options }, (response) => resolve(text(response)));
    request.on('error', (error) => resolve(codeOf(error)));
  });

const host = '127.0.0.1';
const required = { required: true };
let connections = 0;
const server = net.createServer((socket) => {
  connections += 1;
  socket.on('error', () => {});
  socket.pipe(socket);
});
const web = http.createServer((_request, response) => response.end('pong'));
const found = { probe: probeLoopbackFastPath().error?.code };

const targets = { socket: new net.Socket(), server, http: web, https: https.createServer() };
for (const [name, target] of Object.entries(targets)) {
  found[`enable ${name}`] = thrown(() => enableLoopbackFastPath(target, required));
  found[`tryEnable ${name}`] = tryEnableLoopbackFastPath(target);
  found[`status of ${name}`] = status(target);
  found[`disable ${name}`] = thrown(() => disableLoopbackFastPath(target));
}
const port = await listening(server);
const webPort = await listening(web);

const clients = {
  plain: () => net.connect(port, host),
  factory: () => createFastPathConnection(port, host),
  context: () => runWithLoopbackFastPath({}, () => net.connect(port, host)),
  connector: () => fastPathConnector(() => net.connect(port, host))(),
};
for (const [name, connect] of Object.entries(clients)) {
  const socket = connect();
  found[`data of ${name}`] = await text(socket.end('ping'));
  found[`status of ${name}`] = status(socket);
}
const before = connections;
found['required, factory'] = await outcome(createFastPathConnection({ port, host, fastPath: required }));
found['required, context'] = await outcome(runWithLoopbackFastPath(required, () => net.connect(port, host)));
found['required, connector'] = await outcome(fastPathConnector(() => net.connect(port, host), required)());
found['required, agent'] = await get(webPort, { agent: new FastPathAgent({ fastPath: required }) });
for (const [name, another] of Object.entries({ net: net.createServer(), http: http.createServer() })) {
  const ended = new Promise((resolve) => {
    another.on('error', (error) => resolve(codeOf(error)));
    another.on('listening', () => resolve('listening'));
  });
  runWithLoopbackFastPath(required, () => another.listen(0, host));
  found[`required, listen of ${name}`] = await ended;
  found[`required, listening of ${name}`] = another.listening;
}
const last = net.connect(port, host);
await once(last, 'connect');
found['connections that required made'] = connections - before - 1;
last.destroy();

found.http = await get(webPort);
found['http, agent'] = await get(webPort, { agent: new FastPathAgent() });
found['http, createConnection'] = await get(webPort, { createConnection: createFastPathConnection });

const { connect } = net.Socket.prototype;
const unregister = registerLoopbackFastPath();
const registered = net.connect(port, host);
found['registered, data'] = await text(registered.end('ping'));
found['registered, status'] = status(registered);
found['registered, http'] = await get(webPort);
found['registered, net as it was'] = net.Socket.prototype.connect === connect;
unregister();

writeFileSync(new URL('result.json', import.meta.url), JSON.stringify(found));
process.exit();
