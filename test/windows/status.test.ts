import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import * as net from 'node:net';
import { setImmediate } from 'node:timers/promises';
import {
  disableLoopbackFastPath,
  enableLoopbackFastPath,
  getLoopbackFastPathStatus,
  type LoopbackFastPathEndpoint,
  type LoopbackFastPathStatusMessage,
  type LoopbackFastPathTarget,
  tryEnableLoopbackFastPath,
} from 'loopback-fast-path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { runProgram } from '../support/programs.js';
import { answer, fastPathCalls, freshPackage, take, useRecorder } from '../support/recorder.js';
import { closing, echo, exchange, listening, thrown } from '../support/sockets.js';

useRecorder();

const makers: [string, () => LoopbackFastPathTarget][] = [
  ['a socket', () => closing(new net.Socket())],
  ['a server', () => net.createServer()],
];

/** Everything that can be seen of an object from outside. */
function snapshot(target: LoopbackFastPathTarget) {
  return {
    properties: Object.getOwnPropertyDescriptors(target),
    events: target.eventNames().map((name) => [name, target.rawListeners(name)]),
  };
}

describe.each(makers)('%s', (_what, make) => {
  test('is off at first', () => {
    expect(getLoopbackFastPathStatus(make())).toEqual({ state: 'off' });
  });

  test('enabled and disabled is as it was found', () => {
    const target = make();
    const before = snapshot(target);
    enableLoopbackFastPath(target);
    expect(getLoopbackFastPathStatus(target)).toEqual({ state: 'armed' });
    disableLoopbackFastPath(target);
    expect(snapshot(target)).toEqual(before);
    expect(getLoopbackFastPathStatus(target)).toEqual({ state: 'off' });
  });

  test('enabled and disabled keeps what others put there', () => {
    const target = make();
    const listener = () => {};
    target.on('connectionAttempt', listener);
    Object.defineProperty(target, '_listen2', {
      value: listener,
      configurable: true,
      enumerable: true,
      writable: false,
    });
    const before = snapshot(target);
    enableLoopbackFastPath(target);
    disableLoopbackFastPath(target);
    expect(snapshot(target)).toEqual(before);
  });

  test('enabled twice is enabled once', () => {
    const target = make();
    enableLoopbackFastPath(target);
    const once = snapshot(target);
    enableLoopbackFastPath(target);
    expect(snapshot(target)).toEqual(once);
    disableLoopbackFastPath(target);
    expect(getLoopbackFastPathStatus(target)).toEqual({ state: 'off' });
  });

  test('disabled where nothing was enabled', () => {
    const target = make();
    const before = snapshot(target);
    disableLoopbackFastPath(target);
    expect(snapshot(target)).toEqual(before);
  });
});

test('disabled before use: an ordinary connection', async () => {
  const socket = closing(net.connect(await echo(), '127.0.0.1'));
  enableLoopbackFastPath(socket);
  disableLoopbackFastPath(socket);
  await once(socket, 'connect');
  expect(fastPathCalls(take())).toEqual([]);
  expect(getLoopbackFastPathStatus(socket)).toEqual({ state: 'off' });
});

test('disabled after it was applied: too late (B5), and the connection goes on', async () => {
  const socket = closing(net.connect(await echo(), '127.0.0.1'));
  enableLoopbackFastPath(socket);
  await once(socket, 'connect');
  expect(thrown(() => disableLoopbackFastPath(socket))).toMatchObject({
    code: 'ERR_LOOPBACK_FAST_PATH_TOO_LATE',
    message: expect.stringMatching(
      /^The socket is connecting, connected or destroyed\..+ right after net\.connect\(\)/,
    ),
  });
  expect(await exchange(socket)).toBe('ping');
});

test.each([true, false])('two copies of the package arm one socket: one ioctl, ours first: %s', async (first) => {
  const copy = freshPackage();
  copy.enableLoopbackFastPath(new net.Socket());
  const port = await echo();
  take();
  const socket = closing(net.connect(port, '127.0.0.1'));
  const [one, other] = first
    ? [enableLoopbackFastPath, copy.enableLoopbackFastPath]
    : [copy.enableLoopbackFastPath, enableLoopbackFastPath];
  one(socket);
  other(socket);
  await once(socket, 'connect');
  expect(fastPathCalls(take())).toHaveLength(1);
  const applied = { state: 'applied', family: 4, address: '127.0.0.1' };
  expect(getLoopbackFastPathStatus(socket)).toEqual(applied);
  expect(copy.getLoopbackFastPathStatus(socket)).toEqual(applied);
});

test('what copies of other versions look for is there, under its name', async () => {
  const socket = closing(net.connect(await echo(), '127.0.0.1'));
  enableLoopbackFastPath(socket);
  await once(socket, 'connect');
  const handle = Reflect.get(socket, '_handle') as object;
  const applied = Reflect.get(globalThis, Symbol.for('loopback-fast-path.applied')) as WeakMap<object, 4 | 6>;
  expect(applied.get(handle)).toBe(4);
  expect(Symbol.for('loopback-fast-path.gate') in handle).toBe(true);
  const error = thrown(() => disableLoopbackFastPath(socket)) as object;
  expect(Symbol.for('loopback-fast-path.error') in error).toBe(true);
});

test('what a copy binds for itself, while there is a registration, gets no ioctl', async () => {
  const copy = freshPackage();
  const port = await echo();
  copy.probeLoopbackFastPath();
  onTestFinished(copy.registerLoopbackFastPath());
  take();
  const socket = closing(net.connect(port, '127.0.0.1'));
  await once(socket, 'connect');
  expect(copy.getLoopbackFastPathStatus(socket)).toMatchObject({ state: 'applied' });
  expect(fastPathCalls(take())).toHaveLength(1);
});

test('enabled again after it was applied: harmless', async () => {
  const socket = closing(net.connect(await echo(), '127.0.0.1'));
  enableLoopbackFastPath(socket);
  await once(socket, 'connect');
  enableLoopbackFastPath(socket);
  expect(tryEnableLoopbackFastPath(socket)).toBe(true);
  expect(getLoopbackFastPathStatus(socket)).toEqual({ state: 'applied', family: 4, address: '127.0.0.1' });
  expect(fastPathCalls(take())).toHaveLength(1);
});

test('the later options count', async () => {
  const port = await echo(0, '::1');
  const socket = closing(net.connect(port, '::1'));
  enableLoopbackFastPath(socket);
  enableLoopbackFastPath(socket, { ipv6: true });
  await once(socket, 'connect');
  expect(getLoopbackFastPathStatus(socket)).toEqual({ state: 'applied', family: 6, address: '::1' });
});

test('a failure is that of its connection, and the next one is off', async () => {
  const port = await echo();
  const socket = closing(net.connect(port, '127.0.0.1'));
  await once(socket, 'connect');
  expect(tryEnableLoopbackFastPath(socket)).toBe(false);
  expect(getLoopbackFastPathStatus(socket)).toMatchObject({ state: 'failed' });
  socket.destroy();
  await once(socket, 'close');
  socket.connect(port, '127.0.0.1');
  expect(getLoopbackFastPathStatus(socket)).toEqual({ state: 'off' });
  await once(socket, 'connect');
});

test('tryEnable: false means failed, with the error that enable throws', async () => {
  const socket = closing(net.connect(await echo(), '127.0.0.1'));
  await once(socket, 'connect');
  expect(tryEnableLoopbackFastPath(socket)).toBe(false);
  const status = getLoopbackFastPathStatus(socket);
  expect(status).toMatchObject({ state: 'failed', error: { code: 'ERR_LOOPBACK_FAST_PATH_TOO_LATE' } });
  const error = thrown(() => enableLoopbackFastPath(socket)) as Error;
  expect((status as { error: Error }).error.message).toBe(error.message);
  const server = net.createServer();
  await listening(server);
  expect(tryEnableLoopbackFastPath(server)).toBe(false);
  expect(getLoopbackFastPathStatus(server)).toMatchObject({
    state: 'failed',
    error: { code: 'ERR_LOOPBACK_FAST_PATH_TOO_LATE' },
  });
});

test.each(makers)('tryEnable: true means that %s is armed', (_what, make) => {
  const target = make();
  expect(tryEnableLoopbackFastPath(target)).toBe(true);
  expect(getLoopbackFastPathStatus(target)).toEqual({ state: 'armed' });
});

test.each(makers)('disabling %s that could not be enabled leaves its status', async (what) => {
  const port = await echo();
  const socket = closing(net.connect(port, '127.0.0.1'));
  const server = net.createServer();
  await Promise.all([once(socket, 'connect'), listening(server)]);
  const target = what === 'a server' ? server : socket;
  expect(tryEnableLoopbackFastPath(target)).toBe(false);
  const status = getLoopbackFastPathStatus(target);
  disableLoopbackFastPath(target);
  expect(getLoopbackFastPathStatus(target)).toBe(status);
});

describe('shouldApply', () => {
  test('is told where each end is', async () => {
    const told: LoopbackFastPathEndpoint[] = [];
    const shouldApply = (endpoint: LoopbackFastPathEndpoint) => told.push(endpoint) > 0;
    const server = net.createServer();
    enableLoopbackFastPath(server, { shouldApply });
    const port = await listening(server);
    const socket = closing(net.connect(port, '127.0.0.1'));
    enableLoopbackFastPath(socket, { shouldApply });
    await once(socket, 'connect');
    expect(told).toEqual([
      { side: 'server', address: '127.0.0.1', port },
      { side: 'client', address: '127.0.0.1', port },
    ]);
  });

  const boom = new Error('boom');

  test.each<[string, () => unknown, object]>([
    ['returned no boolean but number', () => 1, {}],
    ['returned no boolean but undefined', () => {}, {}],
    [
      'threw',
      () => {
        throw boom;
      },
      { cause: boom },
    ],
  ])('that %s: the error says so', async (what, shouldApply, details) => {
    const port = await echo();
    const socket = closing(net.connect(port, '127.0.0.1'));
    enableLoopbackFastPath(socket, { shouldApply: shouldApply as () => boolean });
    await once(socket, 'connect');
    const { error } = getLoopbackFastPathStatus(socket) as { error: Error };
    expect(error).toMatchObject({
      code: 'ERR_LOOPBACK_FAST_PATH_SHOULD_APPLY',
      message: `The function shouldApply ${what} for port ${port} of 127.0.0.1.`,
    });
    expect({ ...('cause' in error && { cause: error.cause }) }).toEqual(details);
    expect(fastPathCalls(take())).toEqual([]);
  });
});

describe('the diagnostics channel', () => {
  const CHANNEL = 'loopback-fast-path:status';

  function subscribed(): [object, unknown][] {
    const messages: [object, unknown][] = [];
    const listener = (message: unknown) => {
      const { target, status } = message as LoopbackFastPathStatusMessage;
      messages.push([target, status]);
    };
    subscribe(CHANNEL, listener);
    onTestFinished(() => {
      unsubscribe(CHANNEL, listener);
    });
    return messages;
  }

  test('tells every change of a client and a server once', async () => {
    const messages = subscribed();
    const server = net.createServer();
    enableLoopbackFastPath(server);
    enableLoopbackFastPath(server);
    const port = await listening(server);
    answer(10045);
    const socket = closing(net.connect(port, '127.0.0.1'));
    enableLoopbackFastPath(socket);
    await once(socket, 'connect');
    const other = new net.Socket();
    enableLoopbackFastPath(other);
    disableLoopbackFastPath(other);
    await setImmediate();
    expect(messages.map(([target]) => target)).toEqual([server, server, socket, socket, other, other]);
    expect(messages.map(([, status]) => status)).toEqual([
      { state: 'armed' },
      { state: 'applied', family: 4, address: '127.0.0.1' },
      { state: 'armed' },
      { state: 'failed', error: expect.objectContaining({ code: 'WSAEOPNOTSUPP' }) },
      { state: 'armed' },
      { state: 'off' },
    ]);
    expect(messages.every(([, status]) => Object.isFrozen(status))).toBe(true);
  });

  test('tells the address and port where there are any', async () => {
    const messages: object[] = [];
    const listener = (message: unknown) => messages.push(message as object);
    subscribe(CHANNEL, listener);
    onTestFinished(() => {
      unsubscribe(CHANNEL, listener);
    });
    const path = `\\\\.\\pipe\\loopback-fast-path-status-${process.pid}`;
    const applied = { state: 'applied', family: 4, address: '127.0.0.1' };
    const server = net.createServer();
    const onPipe = net.createServer();
    enableLoopbackFastPath(server);
    enableLoopbackFastPath(onPipe);
    const port = await listening(server);
    await listening(onPipe, path);
    const socket = closing(net.connect(port, '127.0.0.1'));
    const toPipe = closing(net.connect(path));
    enableLoopbackFastPath(socket);
    enableLoopbackFastPath(toPipe);
    await Promise.all([once(socket, 'connect'), once(toPipe, 'connect')]);
    const skipped = { state: 'skipped', reason: 'not-tcp' };
    expect(messages.filter((message) => (message as LoopbackFastPathStatusMessage).status.state !== 'armed')).toEqual([
      { target: server, status: applied, address: '127.0.0.1', port },
      { target: onPipe, status: skipped },
      { target: toPipe, status: skipped },
      { target: socket, status: applied, address: '127.0.0.1', port },
    ]);
  });

  test('a subscriber that throws does not reach the connection', async () => {
    const thrower = () => {
      throw new Error('subscriber');
    };
    // Node reports it as an uncaught exception; so that the test sees it:
    const listeners = process.listeners('uncaughtException');
    process.removeAllListeners('uncaughtException');
    const caught: unknown[] = [];
    process.on('uncaughtException', (error) => caught.push(error));
    const socket = closing(new net.Socket());
    enableLoopbackFastPath(socket);
    subscribe(CHANNEL, thrower);
    onTestFinished(() => {
      unsubscribe(CHANNEL, thrower);
      process.removeAllListeners('uncaughtException');
      for (const listener of listeners) process.on('uncaughtException', listener);
    });
    socket.connect(await echo(), '127.0.0.1');
    await once(socket, 'connect');
    expect(await exchange(socket)).toBe('ping');
    expect(caught).toMatchObject([{ message: 'subscriber' }]);
  });
});

test('NODE_DEBUG=loopback-fast-path prints every change', async () => {
  const program = `
    import net from 'node:net';
    import { tryEnableLoopbackFastPath } from 'loopback-fast-path';
    const server = net.createServer();
    tryEnableLoopbackFastPath(server, { shouldApply: () => false });
    server.listen(0, '127.0.0.1', () => {
      const socket = net.connect(server.address().port, '127.0.0.1', () => { socket.destroy(); server.close(); });
      tryEnableLoopbackFastPath(socket);
    });`;
  const { stderr } = await runProgram(program, { env: { NODE_DEBUG: 'loopback-fast-path' } });
  expect(stderr.trim().split(/\r?\n/)).toEqual([
    expect.stringMatching(/^LOOPBACK-FAST-PATH \d+: server armed$/),
    expect.stringMatching(/^LOOPBACK-FAST-PATH \d+: server skipped: declined$/),
    expect.stringMatching(/^LOOPBACK-FAST-PATH \d+: client armed$/),
    expect.stringMatching(/^LOOPBACK-FAST-PATH \d+: client applied: accepted by the system for 127\.0\.0\.1$/),
  ]);
});
