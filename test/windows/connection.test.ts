import { strict as assert } from 'node:assert';
import { once } from 'node:events';
import * as http from 'node:http';
import * as http2 from 'node:http2';
import * as https from 'node:https';
import * as net from 'node:net';
import type { Duplex } from 'node:stream';
import * as tls from 'node:tls';
import {
  createFastPathConnection,
  FastPathAgent,
  FastPathHttpsAgent,
  fastPathConnector,
  getLoopbackFastPathStatus,
  type LoopbackFastPathOptions,
} from 'loopback-fast-path';
import * as undici from 'undici';
import { describe, expect, onTestFinished, test } from 'vitest';
import { answer, connectStories, fastPathCalls, take, useRecorder } from '../support/recorder.js';
import { certificate, closing, echo, exchange, failure, listening } from '../support/sockets.js';

useRecorder();

const ARMED_CONNECT = ['bind 0.0.0.0', 'fast path on', 'ConnectEx 127.0.0.1'];
const APPLIED = { state: 'applied', family: 4, address: '127.0.0.1' };

describe('createFastPathConnection()', () => {
  test.each<[string, (port: number, listener: () => void) => net.Socket]>([
    ['(options, listener)', (port, listener) => createFastPathConnection({ port, host: '127.0.0.1' }, listener)],
    ['(port, host, listener)', (port, listener) => createFastPathConnection(port, '127.0.0.1', listener)],
    [
      '(options) with a lookup that answers at once',
      (port, listener) =>
        createFastPathConnection(
          { port, host: 'db.test', family: 4, lookup: (_host, _options, done) => done(null, '127.0.0.1', 4) },
          listener,
        ),
    ],
    [
      '(options) with what the socket takes',
      (port, listener) =>
        createFastPathConnection(
          { port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true, keepAlive: true, timeout: 60_000 },
          listener,
        ),
    ],
  ])('%s', async (form, connect) => {
    const port = await echo();
    take();
    let connected = 0;
    const socket = closing(connect(port, () => ++connected));
    await once(socket, 'connect');
    expect(connected).toBe(1);
    const calls = take();
    expect(connectStories(calls)).toEqual([ARMED_CONNECT]);
    expect(fastPathCalls(calls)).toHaveLength(1);
    expect(getLoopbackFastPathStatus(socket)).toEqual(APPLIED);
    expect(await exchange(socket)).toBe('ping');
    expect(socket.allowHalfOpen).toBe(form.includes('takes'));
  });

  test('(port) connects to localhost', async () => {
    const port = await echo(0, 'localhost');
    const socket = closing(createFastPathConnection(port));
    await once(socket, 'connect');
    expect(getLoopbackFastPathStatus(socket).state).toMatch(/applied|skipped/);
    expect(await exchange(socket)).toBe('ping');
  });

  test('(path) is a named pipe, left alone', async () => {
    const path = `\\\\.\\pipe\\loopback-fast-path-connection-${process.pid}`;
    await echo(path);
    const socket = closing(createFastPathConnection(path));
    await once(socket, 'connect');
    expect(await exchange(socket)).toBe('ping');
    expect(getLoopbackFastPathStatus(socket)).toEqual({ state: 'skipped', reason: 'not-tcp' });
  });

  test('a socket made inside its lookup is not armed', async () => {
    const port = await echo();
    let inner: net.Socket | undefined;
    take();
    const socket = closing(
      createFastPathConnection({
        port,
        host: 'db.test',
        family: 4,
        lookup: (_host, _options, done) => {
          inner = closing(net.connect(port, '127.0.0.1'));
          done(null, '127.0.0.1', 4);
        },
      }),
    );
    await once(socket, 'connect');
    expect(getLoopbackFastPathStatus(socket)).toEqual(APPLIED);
    if (inner === undefined) throw new Error('the lookup was not called');
    expect(getLoopbackFastPathStatus(inner)).toEqual({ state: 'off' });
  });

  test('nor is one made afterwards', async () => {
    const port = await echo();
    const sockets = [closing(createFastPathConnection(port, '127.0.0.1')), closing(net.connect(port, '127.0.0.1'))];
    await Promise.all(sockets.map((socket) => once(socket, 'connect')));
    expect(sockets.map((socket) => getLoopbackFastPathStatus(socket))).toEqual([APPLIED, { state: 'off' }]);
  });

  test('what Node throws is thrown, and leaves net as it was', () => {
    const found = net.Socket.prototype.connect;
    expect(() => createFastPathConnection({ port: 70_000 })).toThrow(RangeError);
    expect(net.Socket.prototype.connect).toBe(found);
  });

  test('best effort: refused by the system, it connects', async () => {
    answer(10022);
    const socket = closing(createFastPathConnection(await echo(), '127.0.0.1'));
    await once(socket, 'connect');
    expect(await exchange(socket)).toBe('ping');
    expect(getLoopbackFastPathStatus(socket)).toMatchObject({ state: 'failed', error: { code: 'WSAEINVAL' } });
  });

  test('required: refused by the system, it ends with that error', async () => {
    answer(10022);
    const options = { port: await echo(), host: '127.0.0.1', fastPath: { required: true } };
    expect(await failure(createFastPathConnection(options))).toMatchObject({ code: 'WSAEINVAL' });
  });

  test('serves http.request() and http2.connect()', async () => {
    const web = await listening(http.createServer((_request, response) => response.end('pong')));
    const request = http.get({ port: web, host: '127.0.0.1', createConnection: createFastPathConnection });
    const [response] = (await once(request, 'response')) as [http.IncomingMessage];
    expect(await response.setEncoding('utf8').toArray()).toEqual(['pong']);
    const h2 = await listening(http2.createServer((_request, response) => response.end('pong')));
    const session = http2.connect(`http://127.0.0.1:${h2}`, {
      createConnection: () => createFastPathConnection(h2, '127.0.0.1'),
    });
    expect(await session.request({ ':path': '/' }).setEncoding('utf8').toArray()).toEqual(['pong']);
    session.close();
    expect(connectStories(take())).toEqual([ARMED_CONNECT, ARMED_CONNECT]);
  });
});

const TLS = { ca: certificate.cert, servername: 'localhost' };

/** Serves 'pong' and tells how many connections it took. */
async function web(secure: boolean): Promise<{ port: number; connections: () => number }> {
  const pong: http.RequestListener = (_request, response) => response.end('pong');
  const server = secure ? https.createServer(certificate, pong) : http.createServer(pong);
  let connections = 0;
  server.on(secure ? 'secureConnection' : 'connection', () => ++connections);
  return { port: await listening(server as net.Server), connections: () => connections };
}

async function get(options: https.RequestOptions, secure: boolean): Promise<string> {
  const request = secure ? https.get({ ...TLS, ...options }) : http.get(options);
  const [response] = (await once(request, 'response')) as [http.IncomingMessage];
  return (await response.setEncoding('utf8').toArray()).join('');
}

const agents = {
  FastPathAgent: {
    secure: false,
    make: (options: http.AgentOptions & { fastPath?: LoopbackFastPathOptions }) => new FastPathAgent(options),
  },
  FastPathHttpsAgent: {
    secure: true,
    make: (options: https.AgentOptions & { fastPath?: LoopbackFastPathOptions }) => new FastPathHttpsAgent(options),
  },
};

/** A proxy that counts what goes through it: CONNECT tunnels, and requests with a whole URL. */
async function proxy(): Promise<{ port: number; seen: string[] }> {
  const seen: string[] = [];
  const server = http.createServer((request, response) => {
    seen.push(`${request.method} ${request.url}`);
    http.get(String(request.url), (answer) => answer.pipe(response));
  });
  server.on('connect', (request: http.IncomingMessage, client: Duplex) => {
    seen.push(`CONNECT ${request.url}`);
    const [host, port] = String(request.url).split(':');
    const upstream = net.connect(Number(port), host, () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n');
      upstream.pipe(client).pipe(upstream);
    });
    for (const stream of [client, upstream]) {
      stream.on('error', () => {}).on('close', () => void [client, upstream].map((each) => each.destroy()));
    }
  });
  return { port: await listening(server), seen };
}

/** Since these versions an agent of Node can use a proxy. */
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
const hasProxies = major > 24 || (major === 24 && minor >= 5) || (major === 22 && minor >= 21);
const proxyTitle = (title: string) => (hasProxies ? title : `${title} [proxyEnv came with Node 22.21 and 24.5]`);

describe.each(Object.entries(agents))('%s', (_name, { secure, make }) => {
  /** Destroys its sockets when the test is over. */
  function agentOf(options: Parameters<typeof make>[0] = {}): http.Agent {
    const agent = make(options);
    onTestFinished(() => agent.destroy());
    return agent;
  }

  test('arms each connection, and keeps it alive', async () => {
    const { port, connections } = await web(secure);
    const agent = agentOf({ keepAlive: true, maxSockets: 1 });
    take();
    for (let i = 0; i < 3; ++i) expect(await get({ port, host: '127.0.0.1', agent }, secure)).toBe('pong');
    expect(connections()).toBe(1);
    const calls = take();
    expect(connectStories(calls)).toEqual([ARMED_CONNECT]);
    expect(fastPathCalls(calls)).toHaveLength(1);
    const [free] = Object.values(agent.freeSockets).flat();
    if (free === undefined) throw new Error('no socket was kept');
    expect(getLoopbackFastPathStatus(free)).toEqual(APPLIED);
  });

  test('with a lookup that answers at once', async () => {
    const { port } = await web(secure);
    const agent = agentOf();
    take();
    const lookup: net.LookupFunction = (_host, options, done) =>
      options.all ? done(null, [{ address: '127.0.0.1', family: 4 }]) : done(null, '127.0.0.1', 4);
    expect(await get({ port, host: 'localhost', lookup, agent }, secure)).toBe('pong');
    expect(connectStories(take())).toEqual([ARMED_CONNECT]);
  });

  test('keeps the options of its parent class', async () => {
    const agent = agentOf({ keepAlive: true, keepAliveMsecs: 5000, maxSockets: 3, scheduling: 'fifo', timeout: 4000 });
    expect(agent).toBeInstanceOf(secure ? https.Agent : http.Agent);
    expect(agent).toMatchObject({ keepAlive: true, keepAliveMsecs: 5000, maxSockets: 3, scheduling: 'fifo' });
    expect((agent as https.Agent).options).toMatchObject({ timeout: 4000 });
  });

  test('required: where the system refuses, the request fails with that error', async () => {
    const { port, connections } = await web(secure);
    answer(10013);
    const agent = agentOf({ fastPath: { required: true } });
    await expect(get({ port, host: '127.0.0.1', agent }, secure)).rejects.toMatchObject({ code: 'WSAEACCES' });
    expect(connections()).toBe(0);
  });

  test.skipIf(!hasProxies)(proxyTitle('arms the connection to a proxy'), async () => {
    const { port } = await web(secure);
    const { port: proxyPort, seen } = await proxy();
    const url = `http://127.0.0.1:${proxyPort}`;
    const agent = agentOf({ proxyEnv: { http_proxy: url, https_proxy: url } } as http.AgentOptions);
    take();
    expect(await get({ port, host: '127.0.0.1', agent }, secure)).toBe('pong');
    expect(seen).toEqual([secure ? `CONNECT 127.0.0.1:${port}` : `GET http://127.0.0.1:${port}/`]);
    const calls = take();
    // The proxy's own connection to the server is plain.
    expect(connectStories(calls)).toEqual([ARMED_CONNECT, ['bind 0.0.0.0', 'ConnectEx 127.0.0.1']]);
    agent.destroy();
  });
});

describe('fastPathConnector()', () => {
  const request = (port: number, protocol: string): undici.buildConnector.Options => ({
    hostname: '127.0.0.1',
    host: `127.0.0.1:${port}`,
    protocol,
    port: String(port),
  });

  function connect(
    connector: undici.buildConnector.connector,
    options: undici.buildConnector.Options,
  ): Promise<net.Socket> {
    return new Promise((resolve, reject) => {
      connector(options, (error, socket) => (error ? reject(error) : resolve(closing(socket))));
    });
  }

  const tlsOptions = { ca: certificate.cert, servername: 'localhost' };

  test("connects as undici's own connector does, armed", async () => {
    const port = await echo();
    take();
    const socket = await connect(fastPathConnector(undici.buildConnector({})), request(port, 'http:'));
    expect(connectStories(take())).toEqual([ARMED_CONNECT]);
    expect(await exchange(socket)).toBe('ping');
  });

  test('with TLS, and resumes the session', async () => {
    const port = await listening(
      tls.createServer({ ...certificate, maxVersion: 'TLSv1.2' }, (socket) => socket.end('pong')),
    );
    const connector = fastPathConnector(undici.buildConnector(tlsOptions));
    const resumed: boolean[] = [];
    for (let i = 0; i < 2; ++i) {
      take();
      const socket = (await connect(connector, request(port, 'https:'))) as tls.TLSSocket;
      expect(connectStories(take())).toEqual([ARMED_CONNECT]);
      resumed.push(socket.isSessionReused());
      expect(await socket.setEncoding('utf8').toArray()).toEqual(['pong']);
    }
    expect(resumed).toEqual([false, true]);
  });

  test('a connection that is refused is an error, once', async () => {
    const server = net.createServer();
    const port = await listening(server);
    server.close();
    await once(server, 'close');
    await expect(connect(fastPathConnector(undici.buildConnector({})), request(port, 'http:'))).rejects.toMatchObject({
      code: 'ECONNREFUSED',
    });
  });

  test("one that takes too long is undici's own error", async () => {
    // TLS that the server never answers.
    const port = await listening(net.createServer());
    const connector = fastPathConnector(undici.buildConnector({ timeout: 50 }));
    await expect(connect(connector, request(port, 'https:'))).rejects.toBeInstanceOf(undici.errors.ConnectTimeoutError);
  });

  test('a blocked event loop does not end a connection that is there', async () => {
    const port = await echo();
    const connecting = connect(fastPathConnector(undici.buildConnector({ timeout: 100 })), request(port, 'http:'));
    await new Promise((resolve) => setImmediate(resolve));
    const end = Date.now() + 1500;
    while (Date.now() < end);
    expect(await exchange(await connecting)).toBe('ping');
  });

  test('required: refused by the system, undici is told, and no connection is made', async () => {
    const port = await echo();
    take();
    answer(10013);
    const connector = fastPathConnector(undici.buildConnector({}), { required: true });
    await expect(connect(connector, request(port, 'http:'))).rejects.toMatchObject({ code: 'WSAEACCES' });
    expect(connectStories(take())).toEqual([]);
  });
});

test.each<[string, () => void]>([
  ['throws', () => assert.fail('no socket')],
  ['connects nothing', () => {}],
])('a connector that %s leaves the next socket alone', async (_what, connector) => {
  const port = await echo();
  const armed = fastPathConnector(connector);
  try {
    armed();
  } catch (error) {
    expect(error).toMatchObject({ message: 'no socket' });
  }
  const socket = closing(net.connect(port, '127.0.0.1'));
  await once(socket, 'connect');
  expect(getLoopbackFastPathStatus(socket)).toEqual({ state: 'off' });
  expect(connectStories(take())).toEqual([['bind 0.0.0.0', 'ConnectEx 127.0.0.1']]);
});
