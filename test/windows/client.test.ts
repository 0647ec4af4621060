import { once } from 'node:events';
import * as http from 'node:http';
import * as http2 from 'node:http2';
import * as https from 'node:https';
import * as net from 'node:net';
import * as tls from 'node:tls';
import { enableLoopbackFastPath, getLoopbackFastPathStatus } from 'loopback-fast-path';
import { describe, expect, test } from 'vitest';
import { answer, connectStories, fastPathCalls, take, useRecorder } from '../support/recorder.js';
import {
  BoundSocket,
  boundSocketTitle,
  certificate,
  closing,
  echo,
  exchange,
  failure,
  listening,
  thrown,
} from '../support/sockets.js';

useRecorder();

const ARMED_CONNECT = ['bind 0.0.0.0', 'fast path on', 'ConnectEx 127.0.0.1'];
const APPLIED = { state: 'applied', family: 4, address: '127.0.0.1' };

type Lookup = NonNullable<net.TcpSocketConnectOpts['lookup']>;

/** Arms before connect(), or right after it in the same tick; both must work. */
const moments = {
  'before connect()': (connect: (socket: net.Socket) => void): net.Socket => {
    const socket = closing(new net.Socket());
    enableLoopbackFastPath(socket);
    expect(getLoopbackFastPathStatus(socket)).toEqual({ state: 'armed' });
    connect(socket);
    return socket;
  },
  'right after connect()': (connect: (socket: net.Socket) => void): net.Socket => {
    const socket = closing(new net.Socket());
    connect(socket);
    enableLoopbackFastPath(socket);
    return socket;
  },
};

const resolveTo =
  (...addresses: { address: string; family: number }[]): Lookup =>
  (_host, _options, callback) =>
    setImmediate(() => callback(null, addresses));

describe.each(Object.entries(moments))('a client armed %s (B3)', (_moment, arm) => {
  test.each<[string, Omit<net.TcpSocketConnectOpts, 'port'>]>([
    ['an IP literal', { host: '127.0.0.1' }],
    ['a name', { host: 'localhost', family: 4 }],
    ['a name with one address', { host: 'db.test', lookup: resolveTo({ address: '127.0.0.1', family: 4 }) }],
    [
      'a name without happy eyeballs',
      { host: 'db.test', autoSelectFamily: false, lookup: (_h, _o, done) => setImmediate(done, null, '127.0.0.1', 4) },
    ],
  ])('connects to %s', async (_what, options) => {
    const port = await echo();
    take();
    const socket = arm((socket) => socket.connect({ port, ...options }));
    await once(socket, 'connect');
    const calls = take();
    expect(connectStories(calls)).toEqual([ARMED_CONNECT]);
    expect(fastPathCalls(calls)).toHaveLength(1);
    expect(getLoopbackFastPathStatus(socket)).toEqual(APPLIED);
    expect(await exchange(socket)).toBe('ping');
  });

  test('connects to another address of 127.0.0.0/8', async () => {
    const port = await echo(0, '127.77.3.4');
    take();
    const socket = arm((socket) => socket.connect({ port, host: '127.77.3.4' }));
    await once(socket, 'connect');
    expect(connectStories(take())).toEqual([['bind 0.0.0.0', 'fast path on', 'ConnectEx 127.77.3.4']]);
    expect(getLoopbackFastPathStatus(socket)).toEqual({ ...APPLIED, address: '127.77.3.4' });
    expect(await exchange(socket)).toBe('ping');
  });

  test('with localAddress and localPort', async () => {
    const port = await echo();
    const spare = net.createServer();
    const localPort = await listening(spare);
    spare.close();
    await once(spare, 'close');
    take();
    const socket = arm((socket) => socket.connect({ port, host: '127.0.0.1', localAddress: '127.0.0.1', localPort }));
    await once(socket, 'connect');
    expect(connectStories(take())).toEqual([['bind 127.0.0.1', 'fast path on', 'ConnectEx 127.0.0.1']]);
    expect(socket.localPort).toBe(localPort);
    expect(await exchange(socket)).toBe('ping');
  });

  test('through each attempt of happy eyeballs', async () => {
    const port = await echo();
    take();
    const lookup = resolveTo(
      { address: '127.0.0.2', family: 4 },
      { address: '::1', family: 6 },
      { address: '127.0.0.1', family: 4 },
    );
    const socket = arm((socket) => socket.connect({ port, host: 'db.test', lookup, autoSelectFamily: true }));
    await once(socket, 'connect');
    expect(connectStories(take())).toEqual([
      ['bind 0.0.0.0', 'fast path on', 'ConnectEx 127.0.0.2'],
      ['bind ::', 'ConnectEx ::1'],
      ARMED_CONNECT,
    ]);
    expect(getLoopbackFastPathStatus(socket)).toEqual(APPLIED);
    expect(await exchange(socket)).toBe('ping');
  });

  test('to the unspecified address, which connect() rewrites to loopback', async () => {
    const port = await echo();
    take();
    const socket = arm((socket) => socket.connect({ port, host: '0.0.0.0' }));
    await once(socket, 'connect');
    const [story] = connectStories(take());
    expect(story?.slice(0, 2)).toEqual(['bind 0.0.0.0', 'fast path on']);
    expect(getLoopbackFastPathStatus(socket)).toEqual({ ...APPLIED, address: '0.0.0.0' });
  });

  test('keeps early setKeepAlive, setNoDelay, setTimeout and unref', async () => {
    const port = await echo();
    const socket = arm((socket) => {
      socket.setKeepAlive(true, 60_000).setNoDelay(true).setTimeout(60_000).unref();
      socket.connect(port, '127.0.0.1');
      socket.setKeepAlive(true, 30_000).setNoDelay(true);
    });
    await new Promise<void>((resolve) => {
      const alive = setInterval(() => {}, 1000);
      socket.once('connect', () => {
        clearInterval(alive);
        resolve();
      });
    });
    expect(connectStories(take())).toEqual([ARMED_CONNECT]);
    expect((socket as unknown as { _handle: { hasRef(): boolean } })._handle.hasRef()).toBe(false);
    socket.ref();
    expect(await exchange(socket)).toBe('ping');
  });
});

test('a synchronous lookup connects inside connect()', async () => {
  const port = await echo();
  take();
  const socket = closing(new net.Socket());
  enableLoopbackFastPath(socket);
  socket.connect({
    port,
    host: 'db.test',
    lookup: ((_host, options, done) =>
      done(null, options.all ? [{ address: '127.0.0.1', family: 4 }] : '127.0.0.1', 4)) as Lookup,
  });
  expect(getLoopbackFastPathStatus(socket)).toEqual(APPLIED);
  await once(socket, 'connect');
  expect(connectStories(take())).toEqual([ARMED_CONNECT]);
  expect(await exchange(socket)).toBe('ping');
});

test('the arguments of the ioctl are those of R1 to R8', async () => {
  const port = await echo();
  const socket = closing(net.connect(port, '127.0.0.1'));
  enableLoopbackFastPath(socket);
  await once(socket, 'connect');
  expect(fastPathCalls(take())).toMatchObject([
    { value: 1, inputSize: 4, outputSize: 0, hasOutput: false, hasBytesReturned: true, overlapped: false, error: 0 },
  ]);
});

test('a socket that connects again after destroy', async () => {
  const port = await echo();
  const socket = closing(new net.Socket());
  enableLoopbackFastPath(socket);
  for (let round = 0; round < 3; ++round) {
    take();
    socket.connect(port, '127.0.0.1');
    await once(socket, 'connect');
    expect(connectStories(take())).toEqual([ARMED_CONNECT]);
    expect(await exchange(socket)).toBe('ping');
    socket.destroy();
    await once(socket, 'close');
  }
  expect(socket.eventNames()).toEqual(new net.Socket().on('error', () => {}).eventNames());
});

describe('over TLS', () => {
  const ca = certificate.cert;

  async function tlsEcho(): Promise<number> {
    return listening(tls.createServer(certificate, (socket) => socket.pipe(socket)));
  }

  test('a TLSSocket given right after tls.connect()', async () => {
    const port = await tlsEcho();
    take();
    const socket = closing(tls.connect({ port, host: '127.0.0.1', ca }));
    enableLoopbackFastPath(socket);
    await once(socket, 'secureConnect');
    expect(connectStories(take())).toEqual([ARMED_CONNECT]);
    expect(getLoopbackFastPathStatus(socket)).toEqual(APPLIED);
    expect(await exchange(socket)).toBe('ping');
  });

  test('a TLSSocket through happy eyeballs', async () => {
    const port = await tlsEcho();
    take();
    const lookup = resolveTo({ address: '::1', family: 6 }, { address: '127.0.0.1', family: 4 });
    const socket = closing(
      tls.connect({ port, host: 'localhost', lookup, autoSelectFamily: true, ca } as tls.ConnectionOptions),
    );
    enableLoopbackFastPath(socket);
    await once(socket, 'secureConnect');
    expect(connectStories(take())).toEqual([['bind ::', 'ConnectEx ::1'], ARMED_CONNECT]);
    expect(await exchange(socket)).toBe('ping');
  });

  test('over an armed raw socket that is connecting', async () => {
    const port = await tlsEcho();
    take();
    const raw = closing(net.connect(port, '127.0.0.1'));
    enableLoopbackFastPath(raw);
    const socket = closing(tls.connect({ socket: raw, servername: 'localhost', ca }));
    await once(socket, 'secureConnect');
    expect(connectStories(take())).toEqual([ARMED_CONNECT]);
    expect(getLoopbackFastPathStatus(raw)).toEqual(APPLIED);
    expect(await exchange(socket)).toBe('ping');
  });

  test('a TLSSocket over a raw socket stands for it', async () => {
    const port = await tlsEcho();
    take();
    const raw = closing(net.connect(port, '127.0.0.1'));
    const socket = closing(tls.connect({ socket: raw, servername: 'localhost', ca }));
    enableLoopbackFastPath(socket);
    expect(getLoopbackFastPathStatus(raw)).toEqual({ state: 'armed' });
    await once(socket, 'secureConnect');
    expect(connectStories(take())).toEqual([ARMED_CONNECT]);
    expect(getLoopbackFastPathStatus(socket)).toEqual(APPLIED);
    expect(await exchange(socket)).toBe('ping');
  });

  test('over an armed raw socket that connects later', async () => {
    const port = await tlsEcho();
    take();
    const raw = closing(new net.Socket());
    enableLoopbackFastPath(raw);
    raw.connect(port, '127.0.0.1');
    const socket = closing(tls.connect({ socket: raw, servername: 'localhost', ca }));
    await once(socket, 'secureConnect');
    expect(connectStories(take())).toEqual([ARMED_CONNECT]);
    expect(await exchange(socket)).toBe('ping');
  });
});

describe('under a protocol', () => {
  const armed = (options: net.NetConnectOpts): net.Socket => {
    const socket = closing(net.connect(options));
    enableLoopbackFastPath(socket);
    return socket;
  };

  test('http', async () => {
    const port = await listening(http.createServer((_request, response) => response.end('hello')));
    take();
    const request = http.get({
      port,
      host: '127.0.0.1',
      createConnection: (options) => armed(options as net.NetConnectOpts),
    });
    const [response] = (await once(request, 'response')) as [http.IncomingMessage];
    expect((await response.toArray()).join('')).toBe('hello');
    expect(connectStories(take())).toEqual([ARMED_CONNECT]);
  });

  test('https', async () => {
    const port = await listening(https.createServer(certificate, (_request, response) => response.end('hello')));
    take();
    const request = https.get({
      port,
      host: '127.0.0.1',
      ca: certificate.cert,
      createConnection: (options) => {
        const socket = closing(tls.connect(options as tls.ConnectionOptions));
        enableLoopbackFastPath(socket);
        return socket;
      },
    });
    const [response] = (await once(request, 'response')) as [http.IncomingMessage];
    expect((await response.toArray()).join('')).toBe('hello');
    expect(connectStories(take())).toEqual([ARMED_CONNECT]);
  });

  test('http2', async () => {
    const server = http2.createServer((_request, response) => response.end('hello'));
    const port = await listening(server);
    take();
    const session = http2.connect(`http://127.0.0.1:${port}`, {
      createConnection: () => armed({ port, host: '127.0.0.1' }),
    });
    const stream = session.request({ ':path': '/' });
    expect((await stream.toArray()).join('')).toBe('hello');
    expect(connectStories(take())).toEqual([ARMED_CONNECT]);
    session.close();
    await once(session, 'close');
  });
});

test.skipIf(BoundSocket === undefined)(boundSocketTitle('a socket bound beforehand with net.BoundSocket'), async () => {
  const port = await echo();
  take();
  const handle = new (BoundSocket as NonNullable<typeof BoundSocket>)({ host: '127.0.0.1' });
  const socket = closing(new net.Socket({ handle } as net.SocketConstructorOpts));
  enableLoopbackFastPath(socket);
  socket.connect(port, '127.0.0.1');
  await once(socket, 'connect');
  expect(connectStories(take())).toEqual([['bind 127.0.0.1', 'fast path on', 'ConnectEx 127.0.0.1']]);
  expect(await exchange(socket)).toBe('ping');
});

describe('other targets stay untouched', () => {
  test.each(['192.0.2.1', '128.0.0.1', '126.255.255.255', '2001:db8::1', '::2', '::ffff:192.0.2.1'])(
    'an address that is not loopback: %s (B6)',
    async (host) => {
      // Nothing shall leave this machine.
      answer(10051, 10051, 'ConnectEx');
      const socket = net.connect({ port: 9, host });
      enableLoopbackFastPath(socket, { ipv6: 'dual-stack' });
      expect(await failure(socket)).toMatchObject({ code: 'ENETUNREACH' });
      expect(getLoopbackFastPathStatus(socket)).toEqual({ state: 'skipped', reason: 'not-loopback' });
      expect(connectStories(take())).toEqual([[`bind ${net.isIPv6(host) ? '::' : '0.0.0.0'}`, `ConnectEx ${host}`]]);
    },
  );

  test('a named pipe (R2)', async () => {
    const path = `\\\\.\\pipe\\loopback-fast-path-${process.pid}`;
    await listening(
      net.createServer((socket) => socket.pipe(socket)),
      path,
    );
    const socket = closing(net.connect(path));
    enableLoopbackFastPath(socket);
    await once(socket, 'connect');
    expect(getLoopbackFastPathStatus(socket)).toEqual({ state: 'skipped', reason: 'not-tcp' });
    expect(fastPathCalls(take())).toEqual([]);
    expect(await exchange(socket)).toBe('ping');
  });
});

describe('too late', () => {
  const TOO_LATE = { code: 'ERR_LOOPBACK_FAST_PATH_TOO_LATE', name: 'LoopbackFastPathError' };

  test('when connected', async () => {
    const socket = closing(net.connect(await echo(), '127.0.0.1'));
    await once(socket, 'connect');
    expect(thrown(() => enableLoopbackFastPath(socket))).toMatchObject(TOO_LATE);
    expect(await exchange(socket)).toBe('ping');
  });

  test('when the attempt has begun', async () => {
    const socket = closing(net.connect(await echo(), '127.0.0.1'));
    await new Promise(process.nextTick);
    expect(socket.connecting).toBe(true);
    expect(thrown(() => enableLoopbackFastPath(socket))).toMatchObject(TOO_LATE);
    await once(socket, 'connect');
  });

  test('when destroyed', () => {
    const socket = new net.Socket();
    socket.destroy();
    expect(thrown(() => enableLoopbackFastPath(socket))).toMatchObject(TOO_LATE);
  });

  test('for an accepted socket', async () => {
    const server = net.createServer();
    const port = await listening(server);
    closing(net.connect(port, '127.0.0.1'));
    const [accepted] = (await once(server, 'connection')) as [net.Socket];
    expect(thrown(() => enableLoopbackFastPath(accepted))).toMatchObject(TOO_LATE);
  });

  test('inside a connectionAttempt listener is in time', async () => {
    const socket = closing(net.connect(await echo(), '127.0.0.1'));
    socket.once('connectionAttempt', () => enableLoopbackFastPath(socket));
    await once(socket, 'connect');
    expect(getLoopbackFastPathStatus(socket)).toEqual(APPLIED);
    expect(connectStories(take())).toEqual([ARMED_CONNECT]);
    expect(await exchange(socket)).toBe('ping');
  });
});

test('nothing of ours is on the socket or its handle once it is connected', async () => {
  const port = await echo();
  const plain = closing(net.connect(port, '127.0.0.1'));
  const armed = closing(net.connect(port, '127.0.0.1'));
  enableLoopbackFastPath(armed);
  await Promise.all([once(plain, 'connect'), once(armed, 'connect')]);
  const handleOf = (socket: net.Socket) => (socket as unknown as { _handle: object })._handle;
  const shape = (object: object) =>
    Reflect.ownKeys(object)
      .map((key) => `${String(key)} ${'value' in (Object.getOwnPropertyDescriptor(object, key) as object)}`)
      .sort();
  expect(shape(armed)).toEqual(shape(plain));
  expect(shape(handleOf(armed))).toEqual(shape(handleOf(plain)));
});

test('one Winsock call is added to a connection, and one to a listen: the ioctl', async () => {
  const port = await echo();
  const names = async (arm: boolean) => {
    take();
    const socket = closing(net.connect(port, '127.0.0.1'));
    if (arm) enableLoopbackFastPath(socket);
    await once(socket, 'connect');
    const calls = take().filter(
      ({ socket: number }, _index, all) => number === all.find(({ call }) => call === 'ConnectEx')?.socket,
    );
    return calls.map((call) => `${call.call} ${call.call === 'WSAIoctl' ? call.code.toString(16) : ''}`);
  };
  const plain = await names(false);
  const armed = await names(true);
  expect(armed.filter((name) => name !== 'WSAIoctl 98000010')).toEqual(plain);
  expect(armed).toHaveLength(plain.length + 1);

  const listenNames = async (arm: boolean) => {
    take();
    const server = net.createServer();
    if (arm) enableLoopbackFastPath(server);
    await listening(server);
    const all = take();
    const calls = all.filter(({ socket }) => socket === all.find(({ call }) => call === 'listen')?.socket);
    return calls.map((call) => `${call.call} ${call.call === 'WSAIoctl' ? call.code.toString(16) : ''}`);
  };
  const plainListen = await listenNames(false);
  const armedListen = await listenNames(true);
  expect(armedListen.filter((name) => name !== 'WSAIoctl 98000010')).toEqual(plainListen);
  expect(armedListen).toHaveLength(plainListen.length + 1);
});
