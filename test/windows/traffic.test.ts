import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import * as net from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { createFastPathConnection, enableLoopbackFastPath, getLoopbackFastPathStatus } from 'loopback-fast-path';
import { describe, expect, test } from 'vitest';
import { THE_SYSTEM_ACCEPTS, useRecorder } from '../support/recorder.js';
import { closing, listening } from '../support/sockets.js';

// What flows through a socket is Node's, armed or not (B8, B11). Here the system is
// Wine; on Windows the same tests run on what Windows makes of an armed socket.

useRecorder(THE_SYSTEM_ACCEPTS);

/** How both ends are made: armed, or by Node alone. */
interface Ends {
  server(options?: net.ServerOpts, listener?: (socket: net.Socket) => void): net.Server;
  connect(options: net.TcpNetConnectOpts): net.Socket;
}

const plain: Ends = {
  server: (options, listener) => net.createServer(options ?? {}, listener),
  connect: (options) => net.connect(options),
};

const armed: Ends = {
  server(options, listener) {
    const server = plain.server(options, listener);
    enableLoopbackFastPath(server);
    return server;
  },
  connect: createFastPathConnection,
};

const HOST = '127.0.0.1';

/** A connected pair: the end that connected, the one that was accepted. */
async function pair(
  ends: Ends,
  options: Partial<net.TcpNetConnectOpts> = {},
  serverOptions: net.ServerOpts = {},
): Promise<[net.Socket, net.Socket]> {
  const server = ends.server(serverOptions);
  const port = await listening(server);
  const accepting = once(server, 'connection');
  const client = closing(ends.connect({ port, host: HOST, ...options }));
  const [accepted] = (await accepting) as [net.Socket];
  if (client.connecting) await once(client, 'connect');
  return [client, accepted];
}

/** The events of a socket until it is closed, in order. */
function life(socket: net.Socket): Promise<unknown[]> {
  const events: unknown[] = [];
  socket.on('data', (data) => events.push(`data ${data}`));
  for (const event of ['end', 'finish', 'timeout']) socket.on(event, () => events.push(event));
  socket.on('error', (error: NodeJS.ErrnoException) => events.push(`error ${error.code}`));
  return new Promise((resolve) => socket.on('close', (hadError) => resolve([...events, `close ${hadError}`])));
}

/** A socket tells what an unusual method does, where this Node has it. */
function call(socket: net.Socket, method: string, ...args: unknown[]): unknown {
  const found: unknown = Reflect.get(socket, method);
  if (typeof found !== 'function') return 'not in this Node';
  const result: unknown = Reflect.apply(found, socket, args);
  return result === socket ? 'the socket' : result;
}

const behaviours: Record<string, (ends: Ends) => Promise<unknown>> = {
  async 'end() on both ends'(ends) {
    const [client, accepted] = await pair(ends);
    const lives = Promise.all([life(client), life(accepted)]);
    client.end('ping');
    return lives;
  },
  async 'allowHalfOpen on both ends'(ends) {
    const [client, accepted] = await pair(ends, { allowHalfOpen: true }, { allowHalfOpen: true });
    const lives = Promise.all([life(client), life(accepted)]);
    client.end('ping');
    await once(accepted, 'end');
    accepted.write('still ');
    await delay(20);
    accepted.end('here');
    const [events, others] = await lives;
    return [events.filter((event) => !String(event).startsWith('data')), others];
  },
  async 'destroy()'(ends) {
    const [client, accepted] = await pair(ends);
    const lives = Promise.all([life(client), life(accepted)]);
    client.destroy();
    return lives;
  },
  async 'destroy(error)'(ends) {
    const [client] = await pair(ends);
    const own = life(client);
    client.destroy(Object.assign(new Error('enough'), { code: 'ENOUGH' }));
    return own;
  },
  async 'resetAndDestroy()'(ends) {
    const [client, accepted] = await pair(ends);
    const lives = Promise.all([life(client), life(accepted)]);
    client.resetAndDestroy();
    return lives;
  },
  async 'resetAndDestroy() before it is connected'(ends) {
    const server = ends.server();
    const client = closing(ends.connect({ port: await listening(server), host: HOST }));
    const own = life(client);
    client.resetAndDestroy();
    return own;
  },
  async 'destroy() before it is connected'(ends) {
    const server = ends.server();
    const client = closing(ends.connect({ port: await listening(server), host: HOST }));
    const own = life(client);
    client.destroy();
    return own;
  },
  async 'a connection that is refused'(ends) {
    const spare = net.createServer();
    const port = await listening(spare);
    spare.close();
    await once(spare, 'close');
    return life(closing(ends.connect({ port, host: HOST })));
  },
  async 'an address in use'(ends) {
    const taken = await listening(net.createServer());
    const server = ends.server();
    server.listen(taken, HOST);
    const [error] = (await once(server, 'error')) as [NodeJS.ErrnoException];
    return [error.code, error.syscall, server.listening];
  },
  async 'a timeout'(ends) {
    const [client] = await pair(ends, { timeout: 30 });
    const own = life(client);
    client.once('timeout', () => client.destroy());
    return own;
  },
  async 'an AbortSignal before it is connected'(ends) {
    const controller = new AbortController();
    const port = await listening(ends.server());
    const client = closing(ends.connect({ port, host: HOST, signal: controller.signal } as net.TcpNetConnectOpts));
    const own = life(client);
    controller.abort();
    return own;
  },
  async 'an AbortSignal afterwards'(ends) {
    const controller = new AbortController();
    const [client] = await pair(ends, { signal: controller.signal } as Partial<net.TcpNetConnectOpts>);
    const own = life(client);
    controller.abort();
    return own;
  },
  async 'an AbortSignal of listen()'(ends) {
    const controller = new AbortController();
    const server = ends.server();
    server.listen({ port: 0, host: HOST, signal: controller.signal });
    await once(server, 'listening');
    controller.abort();
    await once(server, 'close');
    return server.listening;
  },
  async 'what is written before it is connected'(ends) {
    const server = ends.server({}, (socket) => socket.pipe(socket));
    const client = closing(ends.connect({ port: await listening(server), host: HOST }));
    client.cork();
    client.write('one ');
    client.write(new Uint8Array(Buffer.from('two ')));
    client.uncork();
    client.end('three');
    const echoed = Buffer.concat(await client.toArray()).toString();
    return [echoed, client.bytesWritten, client.bytesRead];
  },
  async 'write() after end()'(ends) {
    const [client] = await pair(ends);
    const own = life(client);
    client.end();
    client.write('late');
    return own;
  },
  async 'options of the socket'(ends) {
    const [client, accepted] = await pair(ends);
    const results = [client, accepted].map((socket) => [
      call(socket, 'setNoDelay', true),
      call(socket, 'setKeepAlive', true, 1000),
      call(socket, 'setTypeOfService', 0x10),
      call(socket, 'getTypeOfService'),
      call(socket, 'unref'),
      call(socket, 'ref'),
      [socket.remoteFamily, socket.remoteAddress, socket.localAddress],
      [socket.readyState, socket.pending, socket.timeout],
    ]);
    return results;
  },
  async 'onread into a buffer of the caller'(ends) {
    const chunks: string[] = [];
    const server = ends.server({}, (socket) => socket.end('ping pong'));
    const buffer = Buffer.alloc(4);
    const client = closing(
      ends.connect({
        port: await listening(server),
        host: HOST,
        onread: {
          buffer,
          callback: (size) => {
            chunks.push(buffer.toString('utf8', 0, size));
            return true;
          },
        },
      }),
    );
    await once(client, 'close');
    return chunks.join('');
  },
  async 'pauseOnConnect and maxConnections'(ends) {
    const server = ends.server({ pauseOnConnect: true });
    server.maxConnections = 1;
    const port = await listening(server);
    const accepting = once(server, 'connection');
    const dropping = once(server, 'drop');
    const clients = [0, 1].map(() => closing(ends.connect({ port, host: HOST })));
    const [accepted] = (await accepting) as [net.Socket];
    await dropping;
    const paused = accepted.isPaused();
    for (const client of clients) client.destroy();
    return paused;
  },
};

describe('as without it (B8, B11)', () => {
  test.each(Object.entries(behaviours))('%s', async (_name, behaviour) => {
    expect(await behaviour(armed)).toEqual(await behaviour(plain));
  });
});

describe('a slow reader (B8)', () => {
  const GIB = 1 << 30;
  const HIGH_WATER_MARK = 1 << 20;

  test('1 GiB arrives byte for byte, in bounded memory', { timeout: 120_000 }, async () => {
    const [reader, writer] = await pair(armed, {}, { highWaterMark: HIGH_WATER_MARK } as net.ServerOpts);
    expect(getLoopbackFastPathStatus(reader)).toMatchObject({ state: 'applied' });
    // Of a length that no buffer has, so that a piece in the wrong place shows.
    const pattern = randomBytes(1_048_583);
    const twice = Buffer.concat([pattern, pattern]);

    let sent = 0;
    const write = (): boolean => {
      const size = Math.min(pattern.length, GIB - sent);
      sent += size;
      return writer.write(pattern.subarray(0, size));
    };
    // Nobody reads: what is sent must stop, and stay where it is.
    while (write());
    await delay(200);
    const stuck = sent - writer.writableLength;
    await delay(200);
    expect(sent - writer.writableLength).toBe(stuck);
    expect(sent).toBeLessThan(GIB / 4);

    const sending = (async () => {
      while (sent < GIB) if (!write()) await once(writer, 'drain');
      writer.end();
    })();
    let received = 0;
    let wrong = 0;
    let untilPause = 0;
    let mostMemory = 0;
    let mostQueued = 0;
    for await (const chunk of reader as AsyncIterable<Buffer>) {
      const at = received % pattern.length;
      if (chunk.compare(twice, at, at + chunk.length) !== 0) ++wrong;
      received += chunk.length;
      mostQueued = Math.max(mostQueued, writer.writableLength);
      untilPause -= chunk.length;
      if (untilPause <= 0) {
        // Long enough for the writer to fill everything, and wait.
        untilPause = 32 << 20;
        await delay(10);
        mostMemory = Math.max(mostMemory, process.memoryUsage.rss());
      }
    }
    await sending;
    expect([received, wrong]).toEqual([GIB, 0]);
    expect(mostQueued).toBeLessThanOrEqual(2 * pattern.length);
    expect(mostMemory).toBeLessThan(512 << 20);
  });
});
