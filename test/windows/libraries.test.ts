import { once } from 'node:events';
import * as http from 'node:http';
import * as http2 from 'node:http2';
import * as net from 'node:net';
import * as grpc from '@grpc/grpc-js';
import fastify from 'fastify';
import { AbstractConnector, Redis } from 'ioredis';
import {
  createFastPathConnection,
  enableLoopbackFastPath,
  FastPathAgent,
  fastPathConnector,
  getLoopbackFastPathStatus,
  isLoopbackFastPathError,
  type LoopbackFastPathOptions,
  probeLoopbackFastPath,
  registerLoopbackFastPath,
  tryEnableLoopbackFastPath,
} from 'loopback-fast-path';
import pg from 'pg';
import { createClient } from 'redis';
import * as undici from 'undici';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { afterwards, expectArmed, serverOf } from '../support/libraries.js';
import { answer, THE_SYSTEM_ACCEPTS, take, useRecorder } from '../support/recorder.js';
import { listening } from '../support/sockets.js';

// Real clients of real servers, each through its own option and through a
// registration. What is between "recipe" and "end" is in docs/recipes.md, with what it
// imports: test/repository/recipes.test.ts compares them.

useRecorder(THE_SYSTEM_ACCEPTS);

// Asked once in a thread, on a SOCKET of its own, which is not to be counted.
beforeAll(() => {
  answer(THE_SYSTEM_ACCEPTS);
  expect(probeLoopbackFastPath()).toEqual({ supported: true });
});

function registered(): void {
  onTestFinished(registerLoopbackFastPath());
}

/** Where a server that was told to listen does; it is closed when the test is over. */
async function portOf(server: net.Server): Promise<number> {
  afterwards(() => server.close());
  if (!server.listening) await once(server, 'listening');
  return (server.address() as net.AddressInfo).port;
}

const redis = serverOf('REDIS');
const postgres = serverOf('POSTGRES');

describe.skipIf(redis.isMissing)(`redis ${redis.needed}`, () => {
  const plain = () => createClient({ url: redis.url });

  async function exchange(client: ReturnType<typeof plain>): Promise<void> {
    afterwards(() => client.destroy());
    await client.connect();
    const value = 'x'.repeat(200_000);
    expect(await client.set('redis', value)).toBe('OK');
    expect(await client.get('redis')).toBe(value);
  }

  test('through a registration for its port: it has no option', async () => {
    const { url } = redis;
    const port = Number(new URL(url).port);
    // recipe: registration
    const unregister = registerLoopbackFastPath({ shouldApply: (endpoint) => endpoint.port === port });
    // end
    onTestFinished(unregister);
    await exchange(createClient({ url }));
    expectArmed({ connects: 1, listens: 0 });
  });

  test('registered', async () => {
    registered();
    await exchange(plain());
    expectArmed({ connects: 1, listens: 0 });
  });
});

describe.skipIf(redis.isMissing)(`ioredis ${redis.needed}`, () => {
  const port = redis.isMissing ? 0 : Number(new URL(redis.url).port);
  const options = { host: '127.0.0.1', port };

  async function exchange(client: Redis): Promise<void> {
    afterwards(() => client.disconnect());
    const value = 'x'.repeat(200_000);
    expect(await client.set('ioredis', value)).toBe('OK');
    expect(await client.get('ioredis')).toBe(value);
  }

  test('through its option Connector', async () => {
    // recipe: ioredis
    class FastPathConnector extends AbstractConnector {
      constructor() {
        super(2000); // milliseconds, as the option disconnectTimeout
      }
      async connect() {
        this.connecting = true;
        this.stream = createFastPathConnection(port, '127.0.0.1');
        return this.stream;
      }
    }
    const redis = new Redis({ host: '127.0.0.1', port, Connector: FastPathConnector });
    // end
    await exchange(redis);
    expectArmed({ connects: 1, listens: 0 });
  });

  test('registered', async () => {
    registered();
    await exchange(new Redis(options));
    expectArmed({ connects: 1, listens: 0 });
  });
});

describe.skipIf(postgres.isMissing)(`pg ${postgres.needed}`, () => {
  const connectionString = postgres.url;

  async function exchange(pool: pg.Pool): Promise<void> {
    afterwards(() => pool.end());
    const { rows } = await pool.query('select $1::text as said, generate_series(1, 1000) as n', ['ping']);
    expect(rows).toHaveLength(1000);
    expect(rows[999]).toEqual({ said: 'ping', n: 1000 });
  }

  test('through its option stream', async () => {
    // recipe: pg
    const pool = new pg.Pool({
      connectionString,
      stream: () => {
        const socket = new net.Socket();
        tryEnableLoopbackFastPath(socket);
        return socket;
      },
    });
    // end
    await exchange(pool);
    expectArmed({ connects: 1, listens: 0 });
  });

  test('registered', async () => {
    registered();
    await exchange(new pg.Pool({ connectionString }));
    expectArmed({ connects: 1, listens: 0 });
  });
});

describe('http', () => {
  function serve(port: number): http.Server {
    // recipe: http server
    const server = http.createServer((_request, response) => response.end('pong'));
    tryEnableLoopbackFastPath(server);
    server.listen(port, '127.0.0.1');
    // end
    return server;
  }

  test('both ends, through the option agent and the server', async () => {
    const port = await portOf(serve(0));
    // recipe: http client
    const agent = new FastPathAgent({ keepAlive: true });
    const request = http.get({ host: '127.0.0.1', port, agent });
    const [response] = await once(request, 'response');
    const text = (await response.setEncoding('utf8').toArray()).join('');
    // end
    expect(text).toBe('pong');
    agent.destroy();
    expectArmed({ connects: 1, listens: 1 });
  });
});

describe('net', () => {
  test('a client with options, its errors and its status', async () => {
    const port = await portOf(net.createServer((socket) => socket.end('pong')).listen(0, '127.0.0.1'));
    take();
    // recipe: TypeScript
    const options: LoopbackFastPathOptions = {
      shouldApply: ({ side, address }) => side === 'client' && address === '127.0.0.1',
    };
    const socket: net.Socket = net.connect(port, '127.0.0.1');
    try {
      enableLoopbackFastPath(socket, options);
    } catch (error) {
      // Not Windows, no binary, or a system that refuses the call: the ordinary path.
      if (!isLoopbackFastPathError(error)) throw error;
      console.warn(`${error.code}: ${error.message}`);
    }
    await once(socket, 'connect');
    const status = getLoopbackFastPathStatus(socket);
    if (status.state === 'failed') console.warn(status.error.message);
    else if (status.state === 'skipped') console.warn(`left alone: ${status.reason}`);
    // end
    expect(status).toEqual({ state: 'applied', family: 4, address: '127.0.0.1' });
    expect((await socket.setEncoding('utf8').toArray()).join('')).toBe('pong');
    expectArmed({ connects: 1, listens: 0 });
  });
});

describe('ws', () => {
  async function served(webServer: http.Server): Promise<number> {
    const server = new WebSocketServer({ server: webServer });
    server.on('connection', (socket) => socket.on('message', (data) => socket.send(data)));
    afterwards(() => server.close());
    return listening(webServer);
  }

  function serve(port: number): http.Server {
    // recipe: ws server
    const webServer = http.createServer();
    tryEnableLoopbackFastPath(webServer);
    const webSockets = new WebSocketServer({ server: webServer });
    webSockets.on('connection', (socket) => socket.on('message', (data) => socket.send(data)));
    webServer.listen(port, '127.0.0.1');
    // end
    afterwards(() => webSockets.close());
    return webServer;
  }

  async function exchange(socket: WebSocket): Promise<void> {
    await once(socket, 'open');
    socket.send('ping');
    const [data] = await once(socket, 'message');
    expect(String(data)).toBe('ping');
    socket.close();
    await once(socket, 'close');
  }

  test('both ends, through the option agent and the HTTP server', async () => {
    const port = await portOf(serve(0));
    // recipe: ws client
    const socket = new WebSocket(`ws://127.0.0.1:${port}`, { agent: new FastPathAgent() });
    // end
    await exchange(socket);
    expectArmed({ connects: 1, listens: 1 });
  });

  test('registered', async () => {
    registered();
    await exchange(new WebSocket(`ws://127.0.0.1:${await served(http.createServer())}`));
    expectArmed({ connects: 1, listens: 1 });
  });
});

describe('fastify', () => {
  async function exchange(app: ReturnType<typeof fastify>): Promise<void> {
    app.get('/', () => 'pong');
    await respond(app, await app.listen({ host: '127.0.0.1', port: 0 }));
  }

  async function respond(app: ReturnType<typeof fastify>, url: string): Promise<void> {
    afterwards(() => app.close());
    const request = http.get(url, { agent: new FastPathAgent() });
    const [response] = (await once(request, 'response')) as [http.IncomingMessage];
    expect((await response.setEncoding('utf8').toArray()).join('')).toBe('pong');
  }

  test('through its property server', async () => {
    const port = 0;
    // recipe: fastify
    const app = fastify();
    tryEnableLoopbackFastPath(app.server);
    app.get('/', () => 'pong');
    const url = await app.listen({ host: '127.0.0.1', port });
    // end
    await respond(app, url);
    expectArmed({ connects: 1, listens: 1 });
  });

  test('registered', async () => {
    registered();
    await exchange(fastify());
    expectArmed({ connects: 1, listens: 1 });
  });
});

describe('undici', () => {
  async function pong(): Promise<string> {
    const server = http.createServer((_request, response) => response.end('pong'));
    enableLoopbackFastPath(server);
    return `http://127.0.0.1:${await listening(server)}`;
  }

  test('through its option connect', async () => {
    const { port } = new URL(await pong());
    // recipe: undici
    const connect = fastPathConnector(undici.buildConnector({ timeout: 1000 }));
    const dispatcher = new undici.Agent({ connect });
    const { body } = await undici.request(`http://127.0.0.1:${port}`, { dispatcher });
    const text = await body.text();
    // end
    expect(text).toBe('pong');
    await dispatcher.close();
    expectArmed({ connects: 1, listens: 1 });
  });

  test('through its option connect, fetch()', async () => {
    const dispatcher = new undici.Agent({ connect: fastPathConnector(undici.buildConnector({})) });
    expect(await (await undici.fetch(await pong(), { dispatcher })).text()).toBe('pong');
    await dispatcher.close();
    expectArmed({ connects: 1, listens: 1 });
  });

  test('registered', async () => {
    registered();
    const url = await pong();
    const dispatcher = new undici.Agent();
    expect(await (await undici.fetch(url, { dispatcher })).text()).toBe('pong');
    await dispatcher.close();
    expectArmed({ connects: 1, listens: 1 });
  });

  test('registered, the fetch() of Node', async () => {
    registered();
    const response = await fetch(await pong(), { headers: { connection: 'close' } });
    expect(await response.text()).toBe('pong');
    expectArmed({ connects: 1, listens: 1 });
  });
});

describe('http2', () => {
  async function served(server: http2.Http2Server): Promise<number> {
    server.on('stream', (stream) => stream.end('pong'));
    return listening(server);
  }

  function serve(port: number): http2.Http2Server {
    // recipe: http2 server
    const server = http2.createServer();
    tryEnableLoopbackFastPath(server);
    server.on('stream', (stream) => stream.end('pong'));
    server.listen(port, '127.0.0.1');
    // end
    return server;
  }

  async function exchange(session: http2.ClientHttp2Session): Promise<void> {
    expect(await session.request({ ':path': '/' }).setEncoding('utf8').toArray()).toEqual(['pong']);
    session.close();
    await once(session, 'close');
  }

  test('both ends, through the option createConnection and the server', async () => {
    const port = await portOf(serve(0));
    // recipe: http2 client
    const session = http2.connect(`http://127.0.0.1:${port}`, {
      createConnection: () => createFastPathConnection(port, '127.0.0.1'),
    });
    // end
    await exchange(session);
    expectArmed({ connects: 1, listens: 1 });
  });

  test('registered', async () => {
    registered();
    const port = await served(http2.createServer());
    await exchange(http2.connect(`http://127.0.0.1:${port}`));
    expectArmed({ connects: 1, listens: 1 });
  });
});

describe('@grpc/grpc-js', () => {
  const method = {
    path: '/test.Echo/Say',
    requestStream: false,
    responseStream: false,
    requestSerialize: (text: string) => Buffer.from(text),
    requestDeserialize: (bytes: Buffer) => bytes.toString(),
    responseSerialize: (text: string) => Buffer.from(text),
    responseDeserialize: (bytes: Buffer) => bytes.toString(),
  };
  const Client = grpc.makeGenericClientConstructor({ Say: method }, 'Echo');

  async function exchange(): Promise<void> {
    const server = new grpc.Server();
    server.addService(
      { Say: method },
      {
        Say: (call: grpc.ServerUnaryCall<string, string>, done: grpc.sendUnaryData<string>) =>
          done(null, `${call.request} pong`),
      },
    );
    const port = await new Promise<number>((resolve, reject) => {
      server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, port) =>
        error ? reject(error) : resolve(port),
      );
    });
    afterwards(() => server.forceShutdown());
    const client = new Client(`127.0.0.1:${port}`, grpc.credentials.createInsecure());
    afterwards(() => client.close());
    const answer = await new Promise((resolve, reject) => {
      client.makeUnaryRequest(
        method.path,
        method.requestSerialize,
        method.responseDeserialize,
        'ping',
        (error, value) => (error ? reject(error) : resolve(value)),
      );
    });
    expect(answer).toBe('ping pong');
  }

  test('registered, both ends: it has no option', async () => {
    registered();
    await exchange();
    expectArmed({ connects: 1, listens: 1 });
  });
});
