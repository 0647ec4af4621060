import { once } from 'node:events';
import { createRequire } from 'node:module';
import * as net from 'node:net';
import { setImmediate } from 'node:timers/promises';
import {
  enableLoopbackFastPath,
  getLoopbackFastPathStatus,
  type LoopbackFastPathOptions,
  tryEnableLoopbackFastPath,
} from 'loopback-fast-path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { winsockError } from '../../dist/core.cjs';
import {
  ASK_THE_SYSTEM,
  answer,
  connectStories,
  fastPathCalls,
  freshPackage,
  layerProviders,
  listenStories,
  SIO_BASE_HANDLE,
  take,
  useRecorder,
} from '../support/recorder.js';
import { boundHandle, closing, echo, exchange, failure, listening, thrown } from '../support/sockets.js';

useRecorder();

test("the system's own text is in the message", async () => {
  // Wine has no text for Winsock's codes, but for this one.
  answer(5);
  const socket = closing(net.connect(await echo(), '127.0.0.1'));
  enableLoopbackFastPath(socket);
  await once(socket, 'connect');
  const { error } = getLoopbackFastPathStatus(socket) as { error: Error };
  expect(error.message).toMatch(/^WSAIoctl WSA_5 \(5\): \p{L}[^.\n]+\. Look 5 up among/u);
});

describe('a layered provider (R9)', () => {
  const LAYER = 0x100000;

  test('that does not know the ioctl: the base socket is asked once', async () => {
    layerProviders(LAYER);
    answer([10045, 0], 10022);
    const socket = closing(net.connect(await echo(), '127.0.0.1'));
    enableLoopbackFastPath(socket);
    await once(socket, 'connect');
    const ioctls = take().filter(
      ({ call, code }) => call === 'WSAIoctl' && (code === SIO_BASE_HANDLE || code === 0x98000010),
    );
    const socketNumber = ioctls[0]?.socket ?? 0;
    expect(ioctls.map(({ code, socket, value }) => [code, socket - socketNumber, value])).toEqual([
      [0x98000010, 0, 1],
      [SIO_BASE_HANDLE, 0, 0],
      [0x98000010, LAYER, 1],
    ]);
    expect(getLoopbackFastPathStatus(socket)).toEqual({ state: 'applied', family: 4, address: '127.0.0.1' });
    expect(await exchange(socket)).toBe('ping');
  });

  test('over a base that does not know the ioctl either: its error, and no third call', async () => {
    layerProviders(LAYER);
    answer([10045, 10045], 0);
    const socket = closing(net.connect(await echo(), '127.0.0.1'));
    enableLoopbackFastPath(socket);
    await once(socket, 'connect');
    expect(fastPathCalls(take())).toHaveLength(2);
    expect(getLoopbackFastPathStatus(socket)).toMatchObject({ state: 'failed', error: { code: 'WSAEOPNOTSUPP' } });
  });

  test('is not asked after other errors', async () => {
    layerProviders(LAYER);
    answer([10022], 0);
    const socket = closing(net.connect(await echo(), '127.0.0.1'));
    enableLoopbackFastPath(socket);
    await once(socket, 'connect');
    expect(fastPathCalls(take())).toHaveLength(1);
    expect(getLoopbackFastPathStatus(socket)).toMatchObject({ state: 'failed', error: { code: 'WSAEINVAL' } });
  });
});

describe('another Winsock call that fails', () => {
  test('getsockopt, of an IPv6 client', async () => {
    const port = await echo(0, '::1');
    answer(10042, ASK_THE_SYSTEM, 'getsockopt');
    // Bound by Node, so that the SOCKET has to be asked.
    const socket = closing(net.connect({ port, host: '::1', localAddress: '::1' }));
    enableLoopbackFastPath(socket, { ipv6: true });
    await once(socket, 'connectionAttempt');
    expect(getLoopbackFastPathStatus(socket)).toMatchObject({
      state: 'failed',
      error: { code: 'WSAENOPROTOOPT', syscall: 'getsockopt' },
    });
    answer(ASK_THE_SYSTEM, ASK_THE_SYSTEM, 'getsockopt');
    await once(socket, 'connect');
    expect(await exchange(socket)).toBe('ping');
  });
});

describe('required and skipped destroys a client, and says why and what to do', () => {
  test.each<[string, string, object, LoopbackFastPathOptions]>([
    ['not-loopback', 'Use an address in 127.0.0.0/8.', { host: '192.0.2.1' }, {}],
    ['ipv6', 'Use 127.0.0.1, or see the option ipv6.', { host: '::1' }, {}],
    ['dual-stack', 'Use 127.0.0.1, or an IPv6-only socket.', { host: '::ffff:127.0.0.1' }, { ipv6: true }],
    ['not-tcp', 'Only TCP sockets can use it.', { path: '\\\\.\\pipe\\nobody' }, {}],
    ['declined', 'The function shouldApply returned false.', { host: '127.0.0.1' }, { shouldApply: () => false }],
  ])('%s', async (reason, advice, where, options) => {
    const socket = net.connect({ port: 1, ...where } as net.NetConnectOpts);
    enableLoopbackFastPath(socket, { required: true, ...options });
    expect(await failure(socket)).toMatchObject({
      code: 'ERR_LOOPBACK_FAST_PATH_SKIPPED',
      message: `The loopback fast path is required, but the socket was left alone: ${reason}. ${advice}`,
    });
    expect(socket.destroyed).toBe(true);
    expect(getLoopbackFastPathStatus(socket)).toEqual({ state: 'skipped', reason });
  });
});

test('a handle that cannot be read: a typed error', () => {
  const socket = closing(new net.Socket());
  Object.defineProperty(socket, '_handle', {
    configurable: true,
    get() {
      throw new Error('hostile');
    },
  });
  expect(thrown(() => enableLoopbackFastPath(socket))).toMatchObject({
    code: 'ERR_LOOPBACK_FAST_PATH_HOST',
    cause: { message: 'hostile' },
  });
  expect(tryEnableLoopbackFastPath(socket)).toBe(false);
  Reflect.deleteProperty(socket, '_handle');
});

test('a handle that is none: a typed error', () => {
  const socket = closing(new net.Socket());
  Object.defineProperty(socket, '_handle', { configurable: true, value: 5 });
  expect(thrown(() => enableLoopbackFastPath(socket))).toMatchObject({
    code: 'ERR_LOOPBACK_FAST_PATH_HOST',
    cause: { name: 'TypeError', message: 'a number' },
  });
  Reflect.deleteProperty(socket, '_handle');
});

test('a server that cannot listen: a typed error', () => {
  const server = net.createServer();
  Object.defineProperty(server, '_listen2', { value: undefined });
  expect(thrown(() => enableLoopbackFastPath(server))).toMatchObject({
    code: 'ERR_LOOPBACK_FAST_PATH_HOST',
    cause: { name: 'TypeError', message: 'the server has no _listen2()' },
  });
});

test('a handle that cannot be asked where it is bound: a typed error', () => {
  const socket = closing(new net.Socket());
  const handle = {
    getsockname() {
      throw new Error('hostile');
    },
    close() {},
  };
  Object.defineProperty(socket, '_handle', { configurable: true, writable: true, value: handle });
  Object.assign(socket, { connecting: true });
  expect(thrown(() => enableLoopbackFastPath(socket))).toMatchObject({
    code: 'ERR_LOOPBACK_FAST_PATH_HOST',
    cause: { message: 'hostile' },
  });
  Reflect.deleteProperty(socket, '_handle');
});

describe('a handle that is asked where it is bound, and its server listens', () => {
  test.each<[string, (out: { address?: string }) => number, object]>([
    [
      'that throws',
      () => {
        throw new Error('hostile');
      },
      { state: 'failed', error: { code: 'ERR_LOOPBACK_FAST_PATH_HOST', cause: { message: 'hostile' } } },
    ],
    [
      'that has no address of IP',
      (out) => {
        out.address = 'elsewhere';
        return 0;
      },
      { state: 'skipped', reason: 'not-tcp' },
    ],
  ])('%s', async (_what, getsockname, expected) => {
    const handle = boundHandle() as { getsockname?: typeof getsockname };
    handle.getsockname = (out) => {
      Reflect.deleteProperty(handle, 'getsockname');
      return getsockname(out);
    };
    const server = net.createServer((socket) => socket.pipe(socket));
    enableLoopbackFastPath(server);
    const port = await listening(server, handle);
    expect(getLoopbackFastPathStatus(server)).toMatchObject(expected);
    const socket = closing(net.connect(port, '127.0.0.1'));
    await once(socket, 'connect');
    expect(await exchange(socket)).toBe('ping');
  });
});

test('the answer of the system itself', async () => {
  answer(ASK_THE_SYSTEM);
  const { getLoopbackFastPathStatus, probeLoopbackFastPath, tryEnableLoopbackFastPath } = freshPackage();
  const probe = probeLoopbackFastPath();
  const socket = closing(net.connect(await echo(), '127.0.0.1'));
  // What the system refuses every socket is known at once.
  expect(tryEnableLoopbackFastPath(socket)).toBe(probe.supported);
  await once(socket, 'connect');
  expect(await exchange(socket)).toBe('ping');
  const status = getLoopbackFastPathStatus(socket);
  if (process.env.LOOPBACK_TEST_SYSTEM === 'wine') {
    expect(probe).toMatchObject({ supported: false, error: { code: 'WSAEOPNOTSUPP' } });
    expect(status).toMatchObject({ state: 'failed', error: { code: 'WSAEOPNOTSUPP' } });
  } else {
    expect(probe).toEqual({ supported: true });
    expect(status).toEqual({ state: 'applied', family: 4, address: '127.0.0.1' });
  }
});

describe('a system that refuses the ioctl for every socket is known at the door', () => {
  test('enable throws what Winsock said, and tryEnable answers false', async () => {
    answer(10045);
    const { enableLoopbackFastPath, getLoopbackFastPathStatus, tryEnableLoopbackFastPath } = freshPackage();
    const refused = { name: 'LoopbackFastPathError', code: 'WSAEOPNOTSUPP', errno: 10045, syscall: 'WSAIoctl' };
    for (const target of [closing(new net.Socket()), net.createServer()]) {
      expect(thrown(() => enableLoopbackFastPath(target))).toMatchObject(refused);
      expect(getLoopbackFastPathStatus(target)).toEqual({ state: 'off' });
      expect(tryEnableLoopbackFastPath(target)).toBe(false);
      expect(getLoopbackFastPathStatus(target)).toMatchObject({ state: 'failed', error: refused });
    }
    // One question for all of them: to have it on.
    expect(fastPathCalls(take())).toMatchObject([{ value: 1 }]);
  });

  test('in a context: the status says it at once, and traffic flows', async () => {
    const port = await echo();
    answer(10045);
    const copy = freshPackage();
    const refused = { state: 'failed', error: { code: 'WSAEOPNOTSUPP' } };
    const server = net.createServer();
    const socket = copy.runWithLoopbackFastPath({}, () => {
      server.listen(0, '127.0.0.1');
      return closing(net.connect(port, '127.0.0.1'));
    });
    expect(copy.getLoopbackFastPathStatus(socket)).toMatchObject(refused);
    expect(copy.getLoopbackFastPathStatus(server)).toMatchObject(refused);
    await Promise.all([once(socket, 'connect'), once(server, 'listening')]);
    expect(await exchange(socket)).toBe('ping');
    server.close();
    await once(server, 'close');
  });

  test('required through a factory: no connection is made', async () => {
    const port = await echo();
    answer(10045);
    const { createFastPathConnection } = freshPackage();
    take();
    const socket = closing(createFastPathConnection({ port, host: '127.0.0.1', fastPath: { required: true } }));
    expect(await failure(socket)).toMatchObject({ code: 'WSAEOPNOTSUPP' });
    expect(connectStories(take())).toEqual([]);
  });

  test('required of a context: nothing is listened on, and one error says why', async () => {
    answer(10045);
    const copy = freshPackage();
    const server = net.createServer();
    const errors: unknown[] = [];
    server.on('error', (error) => errors.push(error));
    copy.runWithLoopbackFastPath({ required: true }, () => server.listen(0, '127.0.0.1'));
    await once(server, 'error');
    await setImmediate();
    expect(errors).toMatchObject([{ code: 'WSAEOPNOTSUPP' }]);
    expect(listenStories(take())).toEqual([]);
  });

  test.each([
    ['no buffers', 10055],
    ['no descriptors', 10024],
  ])('a probe that failed for want of %s is asked again', async (_what, errno) => {
    const { enableLoopbackFastPath, getLoopbackFastPathStatus, probeLoopbackFastPath } = freshPackage();
    // It does not speak for every socket.
    answer([errno], ASK_THE_SYSTEM, 'socket');
    enableLoopbackFastPath(closing(new net.Socket()));
    answer([errno], ASK_THE_SYSTEM, 'socket');
    expect(probeLoopbackFastPath()).toMatchObject({ supported: false, error: { errno, syscall: 'WSASocket' } });
    expect(probeLoopbackFastPath()).toEqual({ supported: true });
    const port = await echo();
    const socket = closing(net.connect(port, '127.0.0.1'));
    enableLoopbackFastPath(socket);
    await once(socket, 'connect');
    expect(getLoopbackFastPathStatus(socket)).toMatchObject({ state: 'applied' });
  });
});

describe('a program whose handles are not those of Node', () => {
  const HOST = {
    code: 'ERR_LOOPBACK_FAST_PATH_HOST',
    message: 'The sockets of this program are not those of Node, so nothing can be done for them.',
    cause: { message: 'bind 127.0.0.1: -4092' },
  };

  /** A copy of the package that has not looked for them yet. */
  function withOtherHandles(create: () => unknown = () => -4092): typeof import('loopback-fast-path') {
    const copy = freshPackage();
    const node = createRequire(import.meta.url)('node:net') as { _createServerHandle: unknown };
    const own = node._createServerHandle;
    onTestFinished(() => {
      node._createServerHandle = own;
    });
    node._createServerHandle = create;
    return copy;
  }

  test('an error that says so, and traffic flows', async () => {
    const port = await echo();
    const copy = withOtherHandles();
    const socket = closing(net.connect(port, '127.0.0.1'));
    expect(thrown(() => copy.enableLoopbackFastPath(socket))).toMatchObject(HOST);
    await once(socket, 'connect');
    expect(await exchange(socket)).toBe('ping');
  });

  test('whose handles cannot connect: an error that says so', () => {
    class Handle {
      close() {}
    }
    const copy = withOtherHandles(() => new Handle());
    const { cause } = thrown(() => copy.enableLoopbackFastPath(new net.Socket())) as Error;
    expect(cause).toMatchObject({ name: 'TypeError', message: 'handles have no connect()' });
  });

  test('in a context: a status that says so, and traffic flows', async () => {
    const port = await echo();
    const copy = withOtherHandles();
    const socket = copy.runWithLoopbackFastPath({}, () => closing(net.connect(port, '127.0.0.1')));
    expect(copy.getLoopbackFastPathStatus(socket)).toMatchObject({ state: 'failed', error: HOST });
    await once(socket, 'connect');
    expect(await exchange(socket)).toBe('ping');
  });

  test('required of a context: no connection is made', async () => {
    const port = await echo();
    const copy = withOtherHandles();
    take();
    const socket = copy.runWithLoopbackFastPath({ required: true }, () => closing(net.connect(port, '127.0.0.1')));
    expect(await failure(socket)).toMatchObject(HOST);
    expect(connectStories(take())).toEqual([]);
  });
});

describe("a runtime that has Node's modules, and not its sockets", () => {
  const node = createRequire(import.meta.url)('node:net') as typeof net & { _createServerHandle: unknown };
  const { _createServerHandle } = node;

  /** A copy of the package that does not find something; Node itself goes on. */
  function without(object: object, name: string): typeof import('loopback-fast-path') {
    // What a context wraps stays wrapped.
    const changed = [
      [object, name],
      [net.Socket.prototype, 'connect'],
      [net.Server.prototype, 'listen'],
    ] as const;
    for (const [object, name] of changed) {
      const found = Object.getOwnPropertyDescriptor(object, name) as PropertyDescriptor;
      onTestFinished(() => void Object.defineProperty(object, name, found));
    }
    Reflect.deleteProperty(object, name);
    return freshPackage();
  }

  test.each([
    ['has no net._createServerHandle()', node, '_createServerHandle'],
    ['has no _listen2() in net.Server', net.Server.prototype, '_listen2'],
  ])('%s: the error says so', (said, object, name) => {
    const copy = without(object, name);
    expect(thrown(() => copy.enableLoopbackFastPath(new net.Socket()))).toMatchObject({
      code: 'ERR_LOOPBACK_FAST_PATH_HOST',
      message: `${process.execPath} ${said}, so its sockets cannot be reached; those of Node and Electron can.`,
    });
    expect(thrown(() => copy.enableLoopbackFastPath(new net.Socket()))).not.toHaveProperty('cause');
  });

  const HOST = { name: 'LoopbackFastPathError', code: 'ERR_LOOPBACK_FAST_PATH_HOST' };

  test('registered: traffic flows, and net is as it was found', async () => {
    const { connect } = net.Socket.prototype;
    const { listen } = net.Server.prototype;
    const copy = without(node, '_createServerHandle');
    copy.registerLoopbackFastPath();
    expect(net.Socket.prototype.connect).not.toBe(connect);
    expect(net.Server.prototype.listen).not.toBe(listen);
    const socket = closing(net.connect(await echo(), '127.0.0.1'));
    expect(net.Socket.prototype.connect).toBe(connect);
    expect(net.Server.prototype.listen).toBe(listen);
    await once(socket, 'connect');
    expect(await exchange(socket)).toBe('ping');
  });

  test('in a context: traffic flows, and each status says why', async () => {
    const copy = without(node, '_createServerHandle');
    const server = net.createServer((socket) => socket.pipe(socket));
    const port = await copy.runWithLoopbackFastPath({}, () => listening(server));
    expect(copy.getLoopbackFastPathStatus(server)).toMatchObject({ state: 'failed', error: HOST });
    const socket = copy.runWithLoopbackFastPath({}, () => closing(net.connect(port, '127.0.0.1')));
    expect(copy.getLoopbackFastPathStatus(socket)).toMatchObject({ state: 'failed', error: HOST });
    await once(socket, 'connect');
    expect(await exchange(socket)).toBe('ping');
  });

  test('in a context, what a function was called for: traffic flows', async () => {
    const copy = without(node, '_createServerHandle');
    const server = net.createServer((socket) => socket.pipe(socket));
    expect(copy.tryEnableLoopbackFastPath(server)).toBe(false);
    const port = await copy.runWithLoopbackFastPath({ required: true }, () => listening(server));
    const socket = closing(new net.Socket());
    expect(copy.tryEnableLoopbackFastPath(socket)).toBe(false);
    copy.runWithLoopbackFastPath({ required: true }, () => socket.connect(port, '127.0.0.1'));
    await once(socket, 'connect');
    expect(await exchange(socket)).toBe('ping');
  });

  test('required of a context: no connection is made', async () => {
    const port = await echo();
    const copy = without(node, '_createServerHandle');
    take();
    const socket = copy.runWithLoopbackFastPath({ required: true }, () => closing(net.connect(port, '127.0.0.1')));
    expect(await failure(socket)).toMatchObject(HOST);
    expect(connectStories(take())).toEqual([]);
  });

  test('required of a context: nothing is listened on', async () => {
    const copy = without(net.Server.prototype, '_listen2');
    Reflect.deleteProperty(node, '_createServerHandle');
    onTestFinished(() => void Object.assign(node, { _createServerHandle }));
    const server = net.createServer();
    copy.runWithLoopbackFastPath({ required: true }, () => server.listen(0, '127.0.0.1'));
    expect(await failure(server)).toMatchObject(HOST);
    expect(listenStories(take())).toEqual([]);
  });
});

test("a text of the system's in several lines becomes one", () => {
  const texts = [
    'An attempt was made\r\n in a way',
    'An attempt was made\nin a way',
    'An attempt was made \r\n\r\n in a way',
  ];
  for (const text of texts) {
    const { message } = winsockError({ syscall: 'WSAIoctl', errno: 10013, message: text });
    expect(message).toMatch(/^WSAIoctl WSAEACCES \(10013\): An attempt was made in a way\. /);
  }
});

test.each([997, 995, 10013, 10014, 10036, 10004, 10022, 10050, 10038, 10045])(
  'what the documented code %i calls for is in the message',
  (errno) => {
    const { code, message } = winsockError({ syscall: 'WSAIoctl', errno, message: '' });
    const [what, advice] = message.split(`WSAIoctl ${code} (${errno}). `);
    expect(what).toBe('');
    // A sentence of its own, and not what there is to say of any code.
    expect(advice).toMatch(/^[A-Z].{20,}\.$/);
    expect(advice).not.toMatch(/^Look /);
  },
);

test('where the system has no text, none is made up', () => {
  const { message } = winsockError({ syscall: 'WSAIoctl', errno: 10013, message: '' });
  expect(message).toMatch(/^WSAIoctl WSAEACCES \(10013\)\. A policy /);
});

test('binaries of which something blocks one: that is the advice', () => {
  const { arch } = process;
  onTestFinished(() => void Object.defineProperty(process, 'arch', { value: arch }));
  // The others are not there.
  Object.defineProperty(process, 'arch', { value: 'mips' });
  const copy = freshPackage() as typeof import('../../dist/core.cjs');
  copy.carryBinary('the first', () => {
    throw new Error('An Application Control policy has blocked this file.');
  });
  expect(thrown(() => copy.enableLoopbackFastPath(new net.Socket()))).toMatchObject({
    code: 'ERR_LOOPBACK_FAST_PATH_BINARY',
    message: expect.stringMatching(/Tried the first \(.+\), .+\. A policy or an antivirus product/),
  });
});

describe('several places of a binary', () => {
  /** What enable says of places that fail with these errors, and how many of them were tried. */
  function trying(...errors: object[]): { message: string; tried: number } {
    const { arch } = process;
    onTestFinished(() => void Object.defineProperty(process, 'arch', { value: arch }));
    Object.defineProperty(process, 'arch', { value: 'mips' });
    const copy = freshPackage() as typeof import('../../dist/core.cjs');
    let tried = 0;
    for (const error of errors) {
      copy.carryBinary('a place', () => {
        tried += 1;
        throw error;
      });
    }
    const { message } = thrown(() => copy.enableLoopbackFastPath(new net.Socket())) as Error;
    return { message, tried };
  }
  const denied = Object.assign(new Error('denied'), { code: 'ERR_DLOPEN_DISABLED' });
  const ADVICE = 'The permission model forbids addons: start Node with --allow-addons.';

  test('that say the same are told of once', () => {
    const { message, tried } = trying(new Error('not there'), new Error('not there'));
    expect(tried).toBe(2);
    expect(message.split('a place (not there)')).toHaveLength(2);
  });

  test.each([
    ['by the code of its error', denied],
    ['by the text that a bundler leaves of it', new Error('Cannot load: loading addons is disabled')],
  ])('without the permission for addons, %s: no other is tried, and that is the advice', (_how, error) => {
    const { message, tried } = trying(new Error('not there'), error, new Error('never tried'));
    expect(tried).toBe(2);
    expect(message).toContain(ADVICE);
    expect(message).not.toContain('never tried');
  });
});

describe('a binary that does not load: the error says which was tried, and why not', () => {
  const failing = (text: string) => () => {
    throw new Error(text);
  };
  test.each([
    ['an error', 'not this one', failing('not this one')],
    ['more lines', 'it does not load', failing('it does not load\r\nC:\\app\\some.node')],
    ['a reason in the second line', 'it does not load: why', failing('it does not load:\r\n why \r\nC:\\some.node')],
    ['nothing', 'not a binary of this package', () => ({})],
    ['one function alone', 'not a binary of this package', () => ({ setFastPath() {} })],
    ['the other alone', 'not a binary of this package', () => ({ probe() {} })],
  ])('%s', (_what, said, load) => {
    const copy = freshPackage() as typeof import('../../dist/core.cjs');
    copy.useBinary(load);
    const error = thrown(() => copy.enableLoopbackFastPath(new net.Socket()));
    expect(error).toMatchObject({
      code: 'ERR_LOOPBACK_FAST_PATH_BINARY',
      message: expect.stringContaining(`Tried the binary that the program carries (${said}). `),
      cause: expect.any(Error),
    });
  });
});
