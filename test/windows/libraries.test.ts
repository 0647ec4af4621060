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
import { answer, THE_SYSTEM_ACCEPTS, useRecorder } from '../support/recorder.js';
import { listening } from '../support/sockets.js';

// Real clients of real servers, each through its own option and through a
// registration. What is between "recipe" and "end" is in docs/recipes.md.

useRecorder(THE_SYSTEM_ACCEPTS);

// Asked once in a thread, on a SOCKET of its own, which is not to be counted.
beforeAll(() => {
  answer(THE_SYSTEM_ACCEPTS);
  expect(probeLoopbackFastPath()).toEqual({ supported: true });
});

function registered(): void {
  onTestFinished(registerLoopbackFastPath());
}

const redis = serverOf('REDIS');
const postgres = serverOf('POSTGRES');

describe.skipIf(redis.isMissing)(`redis ${redis.needed}`, () => {
  test('registered', async () => {
    registered();
    const client = createClient({ url: redis.url });
    afterwards(() => client.destroy());
    await client.connect();
    const value = 'x'.repeat(200_000);
    expect(await client.set('redis', value)).toBe('OK');
    expect(await client.get('redis')).toBe(value);
    expectArmed({ connects: 1, listens: 0 });
  });
});

describe.skipIf(redis.isMissing)(`ioredis ${redis.needed}`, () => {
  const options = { host: '127.0.0.1', port: redis.isMissing ? 0 : Number(new URL(redis.url).port) };

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
        this.stream = createFastPathConnection(options);
        return this.stream;
      }
    }
    const redis = new Redis({ ...options, Connector: FastPathConnector });
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

describe('ws', () => {
  async function served(webServer: http.Server): Promise<number> {
    const server = new WebSocketServer({ server: webServer });
    server.on('connection', (socket) => socket.on('message', (data) => socket.send(data)));
    afterwards(() => server.close());
    return listening(webServer);
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
    // recipe: ws
    const webServer = http.createServer();
    tryEnableLoopbackFastPath(webServer);
    const agent = new FastPathAgent();
    const connect = (url: string) => new WebSocket(url, { agent });
    // end
    await exchange(connect(`ws://127.0.0.1:${await served(webServer)}`));
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
    afterwards(() => app.close());
    app.get('/', () => ({ said: 'pong' }));
    const url = await app.listen({ host: '127.0.0.1', port: 0 });
    const request = http.get(url, { agent: new FastPathAgent() });
    const [response] = (await once(request, 'response')) as [http.IncomingMessage];
    expect((await response.setEncoding('utf8').toArray()).join('')).toBe('{"said":"pong"}');
  }

  test('through its property server', async () => {
    // recipe: fastify
    const app = fastify();
    tryEnableLoopbackFastPath(app.server);
    // end
    await exchange(app);
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
    const url = await pong();
    // recipe: undici
    const dispatcher = new undici.Agent({ connect: fastPathConnector(undici.buildConnector({})) });
    const { body } = await undici.request(url, { dispatcher });
    // end
    expect(await body.text()).toBe('pong');
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

  async function exchange(session: http2.ClientHttp2Session): Promise<void> {
    expect(await session.request({ ':path': '/' }).setEncoding('utf8').toArray()).toEqual(['pong']);
    session.close();
    await once(session, 'close');
  }

  test('both ends, through the option createConnection and the server', async () => {
    const server = http2.createServer();
    tryEnableLoopbackFastPath(server);
    const port = await served(server);
    // recipe: http2
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
