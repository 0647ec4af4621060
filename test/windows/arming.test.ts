// What a program does to its own sockets, at any moment, neither fools the status nor
// breaks the promise of `required`.

import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import * as http from 'node:http';
import { createRequire } from 'node:module';
import * as net from 'node:net';
import { setTimeout as delay, setImmediate as immediate } from 'node:timers/promises';
import {
  createFastPathConnection,
  disableLoopbackFastPath,
  enableLoopbackFastPath,
  FastPathAgent,
  fastPathConnector,
  getLoopbackFastPathStatus,
  type LoopbackFastPathOptions,
  type LoopbackFastPathStatusMessage,
  registerLoopbackFastPath,
  runWithLoopbackFastPath,
  tryEnableLoopbackFastPath,
} from 'loopback-fast-path';
import * as undici from 'undici';
import { describe, expect, onTestFinished, test } from 'vitest';
import {
  answer,
  connectStories,
  fastPathCalls,
  freshPackage,
  listenStories,
  take,
  useRecorder,
} from '../support/recorder.js';
import {
  BoundSocket,
  boundSocketTitle,
  closing,
  echo,
  exchange,
  failure,
  listening,
  type RawHandle,
  thrown,
} from '../support/sockets.js';

useRecorder();

const ARMED_CONNECT = ['bind 0.0.0.0', 'fast path on', 'ConnectEx 127.0.0.1'];
const PLAIN_CONNECT = ['bind 0.0.0.0', 'ConnectEx 127.0.0.1'];
const APPLIED = { state: 'applied', family: 4, address: '127.0.0.1' };
const TOO_LATE = { name: 'LoopbackFastPathError', code: 'ERR_LOOPBACK_FAST_PATH_TOO_LATE' };

/** Takes it back when the test is over. */
function registered(options?: Parameters<typeof registerLoopbackFastPath>[0]): () => void {
  const unregister = registerLoopbackFastPath(options);
  onTestFinished(unregister);
  return unregister;
}

/** Hears of every status of a test, in the moment in which it is published. */
function onStatus(listener: (message: LoopbackFastPathStatusMessage) => void): void {
  const subscriber = (message: unknown) => listener(message as LoopbackFastPathStatusMessage);
  subscribe('loopback-fast-path:status', subscriber);
  onTestFinished(() => {
    unsubscribe('loopback-fast-path:status', subscriber);
  });
}

const agents: http.Agent[] = [];

/** The socket of a request through an agent. */
function socketOf(request: http.ClientRequest): net.Socket {
  request.on('error', () => {});
  const agent = (request as unknown as { agent: http.Agent }).agent;
  agents.push(agent);
  onTestFinished(() => agents.splice(0).forEach((each) => void each.destroy()));
  const [[socket] = []] = Object.values(agent.sockets);
  return socket as net.Socket;
}

type Connect = (options: object) => net.Socket;

/** Every way to have a client connect with the fast path, to 127.0.0.1 unless told otherwise. */
const WAYS: [string, (options: LoopbackFastPathOptions) => Connect][] = [
  [
    'enableLoopbackFastPath',
    (fastPath) => (options) => {
      const socket = new net.Socket(options);
      enableLoopbackFastPath(socket, fastPath);
      return closing(socket.connect({ host: '127.0.0.1', ...options } as net.SocketConnectOpts));
    },
  ],
  [
    'createFastPathConnection',
    (fastPath) => (options) => closing(createFastPathConnection({ host: '127.0.0.1', port: 0, ...options, fastPath })),
  ],
  [
    'FastPathAgent',
    (fastPath) => (options) =>
      closing(socketOf(http.get({ host: '127.0.0.1', ...options, agent: new FastPathAgent({ fastPath }) }))),
  ],
  [
    'fastPathConnector',
    (fastPath) => (options) => {
      const connector = (request: net.NetConnectOpts) => closing(net.connect(request));
      return fastPathConnector(connector, fastPath)({ host: '127.0.0.1', ...options } as net.NetConnectOpts);
    },
  ],
  [
    'runWithLoopbackFastPath',
    (fastPath) => (options) =>
      closing(
        runWithLoopbackFastPath(fastPath, () => net.connect({ host: '127.0.0.1', ...options } as net.NetConnectOpts)),
      ),
  ],
  [
    'registerLoopbackFastPath',
    ({ required: _never, ...fastPath }) => {
      registered(fastPath);
      return (options) => closing(net.connect({ host: '127.0.0.1', ...options } as net.NetConnectOpts));
    },
  ],
];
const PROMISING = WAYS.filter(([name]) => name !== 'registerLoopbackFastPath');

describe.each(WAYS)('%s: what a program does to its socket', (_way, armed) => {
  test('removeAllListeners() does not disarm a connect', async () => {
    const port = await echo();
    const connect = armed({});
    take();
    const socket = connect({ port });
    socket.removeAllListeners();
    closing(socket);
    await once(socket, 'connect');
    expect(connectStories(take())).toEqual([ARMED_CONNECT]);
    expect(getLoopbackFastPathStatus(socket)).toEqual(APPLIED);
  });

  test('removeAllListeners() does not disarm a reconnect', async () => {
    const port = await echo();
    const socket = armed({})({ port });
    await once(socket, 'connect');
    socket.removeAllListeners();
    closing(socket).destroy();
    await once(socket, 'close');
    take();
    socket.connect(port, '127.0.0.1');
    // Of the new handle nothing is known yet.
    expect(getLoopbackFastPathStatus(socket)).toEqual({ state: 'armed' });
    await once(socket, 'connect');
    expect(connectStories(take())).toEqual([ARMED_CONNECT]);
    expect(getLoopbackFastPathStatus(socket)).toEqual(APPLIED);
    expect(await exchange(socket)).toBe('ping');
  });

  test('a subscriber that destroys it at every status ends it, and nothing else', async () => {
    const port = await echo();
    const connect = armed({});
    answer(10013);
    const seen: string[] = [];
    onStatus(({ target, status }) => {
      if (!(target instanceof net.Socket)) return;
      seen.push(status.state);
      if (status.state === 'failed') target.destroy();
    });
    const socket = connect({ port });
    await once(socket, 'close');
    expect(seen).toEqual(['armed', 'failed']);
  });

  test('shouldApply that destroys it ends it, and nothing else', async () => {
    const port = await echo();
    let socket: net.Socket | undefined;
    const connect = armed({
      shouldApply: () => {
        socket?.destroy();
        return true;
      },
    });
    take();
    socket = connect({ port });
    await once(socket, 'close');
    expect(connectStories(take())).toEqual([]);
  });

  test('shouldApply that destroys it while another address is left to try', async () => {
    const port = await echo();
    let socket: net.Socket | undefined;
    const connect = armed({
      shouldApply: () => {
        socket?.destroy();
        return true;
      },
    });
    const addresses = [
      { address: '127.0.0.1', family: 4 },
      { address: '127.0.0.2', family: 4 },
    ];
    const lookup = (_host: string, _options: object, done: (error: null, found: object[]) => void) =>
      setImmediate(done, null, addresses);
    take();
    socket = connect({ port, host: 'db.test', lookup, autoSelectFamily: true });
    await once(socket, 'close');
    // Node tries the next address a quarter of a second later.
    await delay(400);
    expect(connectStories(take())).toEqual([]);
    expect(Reflect.get(socket, '_handle')).toBeNull();
  });

  test.skipIf(BoundSocket === undefined).each(['::', '::1'])(
    boundSocketTitle('a handle bound to %s beforehand has an IPv6 SOCKET, whatever it connects to'),
    async (host) => {
      const port = await echo();
      const connect = armed({});
      take();
      const socket = connect({ port, handle: new (BoundSocket as NonNullable<typeof BoundSocket>)({ host }) });
      // Whether the system connects such a SOCKET is its own affair.
      await new Promise((resolve) => socket.once('connect', resolve).once('close', resolve));
      expect(fastPathCalls(take())).toEqual([]);
      expect(getLoopbackFastPathStatus(socket)).toEqual({ state: 'skipped', reason: 'ipv6' });
    },
  );

  test('a handle whose connect() somebody has replaced gets no SOCKET', async () => {
    const connect = armed({});
    take();
    const socket = connect({
      port: 1,
      host: 'db.test',
      lookup: (_h: string, _o: object, done: () => void) => void done,
    });
    const { _handle: handle } = socket as unknown as { _handle: { connect: unknown } };
    handle.connect = () => 0;
    const other = connect({ port: 1 });
    (other as unknown as { _handle: { connect: unknown } })._handle.connect = () => 0;
    await immediate();
    expect(take().filter(({ call }) => call === 'socket' || call === 'bind')).toEqual([]);
    expect(getLoopbackFastPathStatus(other)).toEqual({ state: 'armed' });
  });
});

describe.each(PROMISING)('%s: required', (_way, armed) => {
  test('refused by the system: no connection is made', async () => {
    const server = net.createServer();
    const port = await listening(server);
    const accepted: unknown[] = [];
    server.on('connection', (socket) => accepted.push(socket));
    answer(10013);
    take();
    const socket = armed({ required: true })({ port });
    expect(await failure(socket)).toMatchObject({ code: 'WSAEACCES', syscall: 'WSAIoctl' });
    await delay(50);
    expect(connectStories(take())).toEqual([]);
    expect(accepted).toEqual([]);
    expect(getLoopbackFastPathStatus(socket)).toMatchObject({ state: 'failed', error: { code: 'WSAEACCES' } });
  });

  test('left alone by the policy: no connection is made', async () => {
    const port = await echo(0, '::1');
    take();
    const socket = armed({ required: true })({ port, host: '::1' });
    expect(await failure(socket)).toMatchObject({ code: 'ERR_LOOPBACK_FAST_PATH_SKIPPED' });
    expect(connectStories(take())).toEqual([]);
  });

  test('a named pipe: no connection is made', async () => {
    const path = `\\\\.\\pipe\\loopback-fast-path-arming-${process.pid}-${Math.random()}`;
    const server = net.createServer();
    await listening(server, path);
    let connections = 0;
    server.on('connection', () => ++connections);
    const socket = armed({ required: true })({ path, socketPath: path });
    expect(await failure(socket)).toMatchObject({ code: 'ERR_LOOPBACK_FAST_PATH_SKIPPED' });
    await delay(50);
    expect(connections).toBe(0);
  });

  test('a name with several addresses, the first of them refused: no connection is made', async () => {
    const port = await echo();
    const lookup = (_host: string, _options: object, done: (error: null, found: object[]) => void) =>
      setImmediate(done, null, [
        { address: '::1', family: 6 },
        { address: '127.0.0.1', family: 4 },
      ]);
    take();
    const socket = armed({ required: true })({ port, host: 'db.test', lookup, autoSelectFamily: true });
    expect(await failure(socket)).toMatchObject({ code: 'ERR_LOOPBACK_FAST_PATH_SKIPPED' });
    await delay(400);
    expect(connectStories(take())).toEqual([]);
  });
});

describe('a reconnect', () => {
  async function connectedOnce(port: number): Promise<net.Socket> {
    const socket = closing(net.connect(port, '127.0.0.1'));
    enableLoopbackFastPath(socket);
    await once(socket, 'connect');
    socket.destroy();
    await once(socket, 'close');
    take();
    return socket;
  }

  test('required from now on: refused, and no connection is made', async () => {
    const socket = await connectedOnce(await echo());
    answer(10013);
    const port = await echo();
    take();
    socket.connect(port, '127.0.0.1');
    enableLoopbackFastPath(socket, { required: true });
    expect(await failure(socket)).toMatchObject({ code: 'WSAEACCES' });
    expect(connectStories(take())).toEqual([]);
  });

  test('disabled: no ioctl', async () => {
    const port = await echo();
    const socket = await connectedOnce(port);
    socket.connect(port, '127.0.0.1');
    disableLoopbackFastPath(socket);
    await once(socket, 'connect');
    expect(connectStories(take())).toEqual([PLAIN_CONNECT]);
    expect(getLoopbackFastPathStatus(socket)).toEqual({ state: 'off' });
  });

  test('of a socket that was connected before a registration', async () => {
    const port = await echo();
    const socket = closing(net.connect(port, '127.0.0.1'));
    await once(socket, 'connect');
    expect(tryEnableLoopbackFastPath(socket)).toBe(false);
    const other = closing(net.connect(port, '127.0.0.1'));
    await once(other, 'connect');
    registered();
    for (const each of [other]) {
      each.destroy();
      await once(each, 'close');
      take();
      each.connect(port, '127.0.0.1');
      await once(each, 'connect');
      expect(connectStories(take())).toEqual([ARMED_CONNECT]);
      expect(getLoopbackFastPathStatus(each)).toEqual(APPLIED);
    }
  });
});

test('shouldApply that destroys it and connects it anew: the new attempt is made, and has it', async () => {
  const port = await echo();
  take();
  const socket = closing(new net.Socket());
  let asked = 0;
  enableLoopbackFastPath(socket, {
    shouldApply: () => {
      asked += 1;
      if (asked === 1) socket.destroy().connect(port, '127.0.0.1');
      return true;
    },
  });
  socket.connect(port, '127.0.0.1');
  await once(socket, 'connect');
  expect(await exchange(socket)).toBe('ping');
  expect(asked).toBe(2);
  expect(getLoopbackFastPathStatus(socket)).toEqual(APPLIED);
  expect(connectStories(take())).toEqual([ARMED_CONNECT]);
});

test('required: a refused attempt that the program itself has given up leaves its next one alone', async () => {
  const port = await echo();
  const socket = closing(new net.Socket());
  enableLoopbackFastPath(socket, { required: true });
  answer([10013], 0);
  socket.once('connectionAttempt', () => {
    // Before the package destroys it, a tick after the attempt.
    process.nextTick(() => {
      socket.destroy();
      socket.connect(port, '127.0.0.1');
    });
  });
  take();
  socket.connect(port, '127.0.0.1');
  await once(socket, 'connect');
  expect(connectStories(take())).toEqual([ARMED_CONNECT]);
  expect(await exchange(socket)).toBe('ping');
});

describe('asking again', () => {
  test('of a connected client that the system refused: the reason stays', async () => {
    answer(10022);
    const socket = closing(net.connect(await echo(), '127.0.0.1'));
    enableLoopbackFastPath(socket);
    await once(socket, 'connect');
    const before = getLoopbackFastPathStatus(socket);
    expect(before).toMatchObject({ state: 'failed', error: { code: 'WSAEINVAL' } });
    expect(tryEnableLoopbackFastPath(socket)).toBe(false);
    expect(thrown(() => enableLoopbackFastPath(socket))).toMatchObject(TOO_LATE);
    expect(getLoopbackFastPathStatus(socket)).toBe(before);
  });

  test('of a client of a named pipe: the reason stays', async () => {
    const path = `\\\\.\\pipe\\asking-again-${process.pid}`;
    await echo(path);
    const socket = closing(net.connect(path));
    enableLoopbackFastPath(socket);
    expect(tryEnableLoopbackFastPath(socket)).toBe(false);
    expect(thrown(() => enableLoopbackFastPath(socket))).toMatchObject(TOO_LATE);
    expect(getLoopbackFastPathStatus(socket)).toEqual({ state: 'skipped', reason: 'not-tcp' });
    await once(socket, 'connect');
  });

  test('of a listening server that was skipped: the reason stays', async () => {
    const server = net.createServer();
    enableLoopbackFastPath(server);
    await listening(server, 0, '::1');
    expect(tryEnableLoopbackFastPath(server)).toBe(false);
    expect(thrown(() => enableLoopbackFastPath(server))).toMatchObject(TOO_LATE);
    expect(getLoopbackFastPathStatus(server)).toEqual({ state: 'skipped', reason: 'ipv6' });
  });
});

describe('a server', () => {
  test('that a subscriber closes at every status: closed, and nothing else', async () => {
    const seen: string[] = [];
    onStatus(({ target, status }) => {
      seen.push(status.state);
      if (status.state === 'failed' && target instanceof net.Server) target.close();
    });
    answer(10013);
    const server = net.createServer();
    enableLoopbackFastPath(server);
    server.listen(0, '127.0.0.1');
    await once(server, 'close');
    expect(seen).toEqual(['armed', 'failed']);
  });

  test('that shouldApply closes: closed, and nothing else', async () => {
    const server = net.createServer();
    enableLoopbackFastPath(server, {
      shouldApply: () => {
        server.close();
        return true;
      },
    });
    take();
    server.listen(0, '127.0.0.1');
    await once(server, 'close');
    expect(listenStories(take())).toEqual([]);
  });

  test.skipIf(BoundSocket === undefined).each(['::', '::1'])(
    boundSocketTitle('on a handle bound to %s has an IPv6 SOCKET'),
    async (host) => {
      const server = net.createServer();
      enableLoopbackFastPath(server);
      const handle = new (BoundSocket as NonNullable<typeof BoundSocket>)({ host });
      await listening(server, handle);
      expect(fastPathCalls(take())).toEqual([]);
      expect(getLoopbackFastPathStatus(server)).toEqual({ state: 'skipped', reason: 'ipv6' });
    },
  );
});

describe('several registrations', () => {
  const wanting = (port: number, asked: string[], name: string) => ({
    shouldApply: (endpoint: { port: number }) => {
      asked.push(name);
      return endpoint.port === port;
    },
  });

  test('are asked in the order in which they were made, until one applies to the socket', async () => {
    const port = await echo();
    const asked: string[] = [];
    registered(wanting(0, asked, 'first'));
    registered(wanting(port, asked, 'second'));
    registered(wanting(port, asked, 'third'));
    const socket = closing(net.connect(port, '127.0.0.1'));
    await once(socket, 'connect');
    expect(asked).toEqual(['first', 'second']);
    expect(getLoopbackFastPathStatus(socket)).toEqual(APPLIED);
  });

  test('if none applies, the status has the reason of the first', async () => {
    const port = await echo(0, '::1');
    registered();
    registered({ ipv6: true, shouldApply: () => false });
    const socket = closing(net.connect(port, '::1'));
    await once(socket, 'connect');
    expect(getLoopbackFastPathStatus(socket)).toEqual({ state: 'skipped', reason: 'ipv6' });
  });

  test('do not count for a socket that was armed before its connect()', async () => {
    const port = await echo();
    const socket = closing(new net.Socket());
    enableLoopbackFastPath(socket);
    registered({ shouldApply: () => false });
    socket.connect(port, '127.0.0.1');
    await once(socket, 'connect');
    expect(getLoopbackFastPathStatus(socket)).toEqual(APPLIED);
  });

  test('do not count for a reconnect of what a factory made', async () => {
    const port = await echo();
    registered({ shouldApply: () => false });
    const socket = closing(createFastPathConnection({ port, host: '127.0.0.1' }));
    await once(socket, 'connect');
    socket.destroy();
    await once(socket, 'close');
    socket.connect(port, '127.0.0.1');
    await once(socket, 'connect');
    expect(getLoopbackFastPathStatus(socket)).toEqual(APPLIED);
  });

  test.each([
    ['20.20.2', true],
    ['22.16.0', true],
    ['22.17.0', false],
    ['23.11.1', true],
    ['24.1.0', true],
    ['24.2.0', false],
    ['25.0.0', false],
    ['26.10.0', false],
  ])('wrap a function of net only where Node publishes no connect(): %s, %s', (version, isWrapped) => {
    const { connect } = net.Socket.prototype;
    const found = Object.getOwnPropertyDescriptor(process, 'versions') as PropertyDescriptor;
    Object.defineProperty(process, 'versions', { ...found, value: { ...process.versions, node: version } });
    let copy: ReturnType<typeof freshPackage>;
    try {
      copy = freshPackage();
    } finally {
      Object.defineProperty(process, 'versions', found);
    }
    onTestFinished(copy.registerLoopbackFastPath());
    expect(net.Socket.prototype.connect !== connect).toBe(isWrapped);
  });

  test('leave what others have put over their wrapper, or have taken away', () => {
    // Of a copy that no context keeps.
    const { registerLoopbackFastPath } = freshPackage();
    const node = createRequire(import.meta.url)('node:net');
    const own = node._createServerHandle;
    onTestFinished(() => {
      node._createServerHandle = own;
    });
    const first = registerLoopbackFastPath();
    const ours = node._createServerHandle;
    const theirs = (...args: unknown[]) => ours(...args);
    node._createServerHandle = theirs;
    first();
    expect(node._createServerHandle).toBe(theirs);
    take();
    (node._createServerHandle('127.0.0.1', 0, 4) as RawHandle).close();
    expect(fastPathCalls(take())).toEqual([]);

    node._createServerHandle = own;
    const second = registerLoopbackFastPath();
    Reflect.deleteProperty(node, '_createServerHandle');
    second();
    expect('_createServerHandle' in node).toBe(false);
  });

  test('taking one back leaves the other', async () => {
    const port = await echo();
    const asked: string[] = [];
    const first = registered(wanting(port, asked, 'first'));
    registered(wanting(port, asked, 'second'));
    first();
    const socket = closing(net.connect(port, '127.0.0.1'));
    await once(socket, 'connect');
    expect(asked).toEqual(['second']);
  });
});

describe('runWithLoopbackFastPath()', () => {
  test('calls with the arguments, returns what is returned, throws what is thrown', () => {
    expect(runWithLoopbackFastPath({}, (a: number, b: number) => a + b, 1, 2)).toBe(3);
    expect(
      thrown(() =>
        runWithLoopbackFastPath({}, () => {
          throw new Error('thrown');
        }),
      ),
    ).toMatchObject({ message: 'thrown' });
  });

  test('what connects later in its context is armed, and nothing outside', async () => {
    const port = await echo();
    take();
    const inside = await runWithLoopbackFastPath({}, async () => {
      await delay(10);
      const socket = closing(net.connect(port, '127.0.0.1'));
      await once(socket, 'connect');
      return socket;
    });
    const outside = closing(net.connect(port, '127.0.0.1'));
    await once(outside, 'connect');
    expect(connectStories(take())).toEqual([ARMED_CONNECT, PLAIN_CONNECT]);
    expect(getLoopbackFastPathStatus(inside)).toEqual(APPLIED);
    expect(getLoopbackFastPathStatus(outside)).toEqual({ state: 'off' });
  });

  test('outside of it the system is not even asked', async () => {
    const copy = freshPackage();
    copy.runWithLoopbackFastPath({}, () => {});
    const port = await echo();
    await once(closing(net.connect(port, '127.0.0.1')), 'connect');
    expect(fastPathCalls(take())).toEqual([]);
  });

  test('a server that listens in its context', async () => {
    const server = net.createServer();
    await runWithLoopbackFastPath({}, () => listening(server));
    expect(listenStories(take())).toEqual([['bind 127.0.0.1', 'fast path on', 'listen']]);
    expect(getLoopbackFastPathStatus(server)).toEqual(APPLIED);
  });

  test('required: a server that the system refuses does not listen', async () => {
    answer(10013);
    const server = net.createServer();
    runWithLoopbackFastPath({ required: true }, () => server.listen(0, '127.0.0.1'));
    expect(await failure(server)).toMatchObject({ code: 'WSAEACCES' });
    expect(listenStories(take())).toEqual([]);
  });

  test('the inner one of nested calls counts', async () => {
    const port = await echo();
    const asked: string[] = [];
    const ask = (name: string) => ({ shouldApply: () => asked.push(name) > 0 });
    await runWithLoopbackFastPath(ask('outer'), async () => {
      const socket = runWithLoopbackFastPath(ask('inner'), () => closing(net.connect(port, '127.0.0.1')));
      await once(socket, 'connect');
      await once(closing(net.connect(port, '127.0.0.1')), 'connect');
    });
    expect(asked).toEqual(['inner', 'outer']);
  });

  test('a call for one socket takes precedence, and the context over registrations', async () => {
    const port = await echo();
    const asked: string[] = [];
    const ask = (name: string) => ({ shouldApply: () => asked.push(name) > 0 });
    registered(ask('registration'));
    await runWithLoopbackFastPath(ask('context'), async () => {
      const socket = closing(net.connect(port, '127.0.0.1'));
      enableLoopbackFastPath(socket, ask('call'));
      await once(socket, 'connect');
      await once(closing(createFastPathConnection({ port, host: '127.0.0.1', fastPath: ask('factory') })), 'connect');
      await once(closing(net.connect(port, '127.0.0.1')), 'connect');
    });
    await once(closing(net.connect(port, '127.0.0.1')), 'connect');
    expect(asked).toEqual(['call', 'factory', 'context', 'registration']);
  });

  test('false excludes a part of the program from a registration', async () => {
    const port = await echo();
    registered();
    take();
    const socket = runWithLoopbackFastPath(false, () => closing(net.connect(port, '127.0.0.1')));
    await once(socket, 'connect');
    expect(connectStories(take())).toEqual([PLAIN_CONNECT]);
    expect(getLoopbackFastPathStatus(socket)).toEqual({ state: 'off' });
  });

  test.each([
    ['of the registration', undefined, [APPLIED]],
    ['of nothing, in a context of false', false as const, []],
  ])("a handle that a cluster's primary will share: the status %s", async (_what, context, expected) => {
    // As cluster comes by it: of what is imported nothing changes.
    const node = createRequire(import.meta.url)('node:net');
    const bind = (): RawHandle => node._createServerHandle('127.0.0.1', 0, 4);
    registered({ shouldApply: ({ side, port }) => side === 'server' && port > 0 });
    const statuses: unknown[] = [];
    onStatus(({ status }) => statuses.push(status));
    const handle = context === undefined ? bind() : runWithLoopbackFastPath(context, bind);
    handle.close();
    await immediate();
    expect(statuses).toEqual(expected);
  });

  test('such a handle of a thread that has armed a client before, and what is said of a pipe', async () => {
    const node = createRequire(import.meta.url)('node:net');
    const copy = freshPackage();
    onTestFinished(copy.registerLoopbackFastPath());
    const port = await echo();
    await once(closing(net.connect(port, '127.0.0.1')), 'connect');
    take();
    const messages: object[] = [];
    onStatus((message) => messages.push(message));
    const handle: RawHandle = node._createServerHandle('127.0.0.1', 0, 4);
    const pipe: RawHandle = node._createServerHandle(`\\\\.\\pipe\\shared-${process.pid}`, -1, -1);
    expect(fastPathCalls(take())).toHaveLength(1);
    // An error of libuv, and no handle.
    expect(node._createServerHandle('no address', 0, 4)).toBeLessThan(0);
    // What is in use already is said when it listens.
    const inUse: RawHandle = node._createServerHandle('127.0.0.1', port, 4);
    expect(fastPathCalls(take())).toEqual([]);
    inUse.close();
    handle.close();
    pipe.close();
    await immediate();
    expect(messages).toEqual([
      { target: handle, status: APPLIED, address: '127.0.0.1', port: expect.any(Number) },
      { target: pipe, status: { state: 'skipped', reason: 'not-tcp' } },
    ]);
  });

  test('the reconnects of a client that was made in its context', async () => {
    const port = await echo();
    take();
    const sockets = await runWithLoopbackFastPath({}, async () => {
      const first = closing(net.connect(port, '127.0.0.1'));
      const again = once(first, 'close').then(() => closing(net.connect(port, '127.0.0.1')));
      await once(first, 'connect');
      first.destroy();
      return [first, await again];
    });
    await once(sockets[1] as net.Socket, 'connect');
    expect(connectStories(take())).toEqual([ARMED_CONNECT, ARMED_CONNECT]);
  });

  test("undici's own fetch, which has no option for it", async () => {
    const server = http.createServer((_request, response) => response.end('pong'));
    const port = await listening(server);
    const dispatcher = new undici.Agent();
    onTestFinished(() => dispatcher.destroy());
    take();
    const answer = await runWithLoopbackFastPath({}, () => undici.fetch(`http://127.0.0.1:${port}`, { dispatcher }));
    expect(await answer.text()).toBe('pong');
    expect(connectStories(take())).toEqual([ARMED_CONNECT]);
  });
});
