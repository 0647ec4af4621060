import { EventEmitter } from 'node:events';
import * as net from 'node:net';
import { Duplex } from 'node:stream';
import { inspect } from 'node:util';
import {
  createFastPathConnection,
  disableLoopbackFastPath,
  enableLoopbackFastPath,
  FastPathAgent,
  FastPathHttpsAgent,
  fastPathConnector,
  getLoopbackFastPathStatus,
  isLoopbackFastPathError,
  LoopbackFastPathError,
  registerLoopbackFastPath,
  runWithLoopbackFastPath,
  tryEnableLoopbackFastPath,
  WINSOCK_ERROR_CODES,
} from 'loopback-fast-path';
import { useBinary } from 'loopback-fast-path/custom';
import { describe, expect, test } from 'vitest';
import { thrown } from '../support/sockets.js';

const revocable = Proxy.revocable(new net.Socket(), {});
revocable.revoke();

const notTargets: [string, unknown][] = [
  ['undefined', undefined],
  ['null', null],
  ['a number', 42],
  ['a string', 'socket'],
  ['a bigint', 1n],
  ['a symbol', Symbol('socket')],
  ['a function', () => {}],
  ['an object', {}],
  ['an object without a prototype', Object.create(null)],
  ['an event emitter', new EventEmitter()],
  ['a stream', new Duplex()],
  ['what looks like a socket', { connect() {}, on() {}, _handle: { hasRef() {}, ref() {}, unref() {} } }],
  ["an object with a socket's prototype", Object.create(net.Socket.prototype)],
  ["an object with a server's prototype", Object.create(net.Server.prototype)],
  ['an object with a socket as its prototype', Object.create(new net.Socket())],
  ['the class itself', net.Socket],
  ['a proxy of a socket', new Proxy(new net.Socket(), {})],
  ['a revoked proxy', revocable.proxy],
  [
    'an object whose prototype throws',
    Object.create(
      new Proxy(
        {},
        {
          getPrototypeOf() {
            throw new Error('hostile');
          },
        },
      ),
    ),
  ],
  [
    'an object with accessors that throw',
    Object.defineProperty({}, Symbol.toStringTag, {
      get() {
        throw new Error('hostile');
      },
    }),
  ],
];

const functions = {
  enableLoopbackFastPath,
  disableLoopbackFastPath,
  tryEnableLoopbackFastPath,
  getLoopbackFastPathStatus,
} as Record<string, (target: unknown, options?: unknown) => unknown>;

describe.each(Object.entries(functions))('%s', (_name, call) => {
  test.each(notTargets)('refuses %s', (_what, target) => {
    const error = thrown(() => call(target));
    expect(error).toBeInstanceOf(TypeError);
    expect(error).toMatchObject({
      code: 'ERR_INVALID_ARG_TYPE',
      message: expect.stringMatching(
        /^The "target" argument must be an instance of net\.Socket or net\.Server\. Received /,
      ),
    });
  });
});

describe.each([
  ['enableLoopbackFastPath', enableLoopbackFastPath],
  ['tryEnableLoopbackFastPath', tryEnableLoopbackFastPath],
] as [string, (target: net.Socket, options: unknown) => unknown][])('the options of %s', (_name, call) => {
  test.each<[string, unknown, string]>([
    ['null', null, 'The "options" argument must be an object. Received null'],
    ['a number', 1, 'The "options" argument must be an object. Received 1'],
    ['a string', 'ipv6', 'The "options" argument must be an object. Received \'ipv6\''],
    ['a function', call, 'The "options" argument must be an object. Received [Function'],
    ['ipv6: 1', { ipv6: 1 }, 'The "options.ipv6" property must be a boolean or \'dual-stack\'. Received 1'],
    [
      'ipv6: a string',
      { ipv6: 'yes' },
      "The \"options.ipv6\" property must be a boolean or 'dual-stack'. Received 'yes'",
    ],
    ['ipv6: null', { ipv6: null }, 'The "options.ipv6" property must be a boolean or \'dual-stack\'. Received null'],
    ['required: 0', { required: 0 }, 'The "options.required" property must be a boolean. Received 0'],
    ['required: null', { required: null }, 'The "options.required" property must be a boolean. Received null'],
    [
      'shouldApply: true',
      { shouldApply: true },
      'The "options.shouldApply" property must be a function. Received true',
    ],
  ])('refuse %s and leave the socket alone', (_what, options, message) => {
    const socket = new net.Socket();
    const error = thrown(() => call(socket, options));
    expect(error).toBeInstanceOf(TypeError);
    expect(error).toMatchObject({ code: 'ERR_INVALID_ARG_TYPE', message: expect.stringContaining(message) });
    expect(getLoopbackFastPathStatus(socket)).toEqual({ state: 'off' });
    expect(socket.listenerCount('connectionAttempt')).toBe(0);
  });
});

describe.each<[string, (fastPath: unknown) => unknown]>([
  ['createFastPathConnection', (fastPath) => createFastPathConnection({ port: 1, fastPath } as never)],
  ['FastPathAgent', (fastPath) => new FastPathAgent({ fastPath } as never)],
  ['FastPathHttpsAgent', (fastPath) => new FastPathHttpsAgent({ fastPath } as never)],
])('the option fastPath of %s', (_name, call) => {
  test.each<[unknown, string]>([
    [null, 'The "options.fastPath" property must be an object. Received null'],
    [true, 'The "options.fastPath" property must be an object. Received true'],
    [{ ipv6: 4 }, 'The "options.fastPath.ipv6" property must be a boolean or \'dual-stack\'. Received 4'],
    [{ required: 'yes' }, 'The "options.fastPath.required" property must be a boolean. Received \'yes\''],
  ])('refuses %o', (fastPath, message) => {
    expect(thrown(() => call(fastPath))).toMatchObject({ name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE', message });
  });
});

describe.each<[string, (options: unknown) => unknown]>([
  ['fastPathConnector', (options) => fastPathConnector(() => {}, options as never)],
  ['runWithLoopbackFastPath', (options) => runWithLoopbackFastPath(options as never, () => {})],
])('the options of %s', (_name, call) => {
  test.each<[unknown, string]>([
    [null, 'The "options" argument must be an object. Received null'],
    [true, 'The "options" argument must be an object. Received true'],
    [{ required: 'yes' }, 'The "options.required" property must be a boolean. Received \'yes\''],
  ])('refuses %o', (options, message) => {
    expect(thrown(() => call(options))).toMatchObject({ name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE', message });
  });
});

test.each([undefined, 'x', {}])('runWithLoopbackFastPath wants a function, not %o', (fn) => {
  expect(thrown(() => runWithLoopbackFastPath({}, fn as never))).toMatchObject({
    code: 'ERR_INVALID_ARG_TYPE',
    message: expect.stringMatching(/^The "fn" argument must be a function/),
  });
});

describe('registerLoopbackFastPath', () => {
  test.each<[unknown, string]>([
    ['all', 'The "options" argument must be an object. Received \'all\''],
    [{ required: true }, 'The "options.required" property must be left out: this is best effort. Received true'],
    [{ shouldApply: 6379 }, 'The "options.shouldApply" property must be a function. Received 6379'],
  ])('refuses %o', (options, message) => {
    const connect = net.Socket.prototype.connect;
    expect(thrown(() => registerLoopbackFastPath(options as object))).toMatchObject({
      name: 'TypeError',
      code: 'ERR_INVALID_ARG_TYPE',
      message,
    });
    expect(net.Socket.prototype.connect).toBe(connect);
  });
});

test.each([undefined, 'x', { timeout: 1 }])('fastPathConnector wants a connector, not %o', (value) => {
  expect(thrown(() => fastPathConnector(value as never))).toMatchObject({
    code: 'ERR_INVALID_ARG_TYPE',
    message: expect.stringMatching(/^The "connector" argument must be a function, such as undici\.buildConnector/),
  });
});

test.each([FastPathAgent, FastPathHttpsAgent])('%o takes what the agents of Node take for no options', (Agent) => {
  for (const options of [undefined, null, {}]) expect(new Agent(options as never)).toMatchObject({ keepAlive: false });
});

test.each([FastPathAgent, FastPathHttpsAgent])('createConnection() of %o is a method like others', ({ prototype }) => {
  const { value, ...attributes } = Object.getOwnPropertyDescriptor(prototype, 'createConnection') ?? {};
  expect(value).toBeTypeOf('function');
  expect(attributes).toEqual({ configurable: true, enumerable: false, writable: true });
});

test('what was received is shown in one word, however much is in it', () => {
  expect(thrown(() => fastPathConnector({ timeout: { of: { connect: 1 } } } as never))).toMatchObject({
    message: expect.stringMatching(/ Received \[Object\]$/),
  });
});

test.each([undefined, null, 'file.node', {}])('useBinary refuses %o', (load) => {
  expect(thrown(() => useBinary(load as () => unknown))).toMatchObject({
    name: 'TypeError',
    code: 'ERR_INVALID_ARG_TYPE',
    message: expect.stringMatching(/^The "load" argument must be a function\. Received /),
  });
});

test('what is wrong is shown as it is, and not as it says, or by its type where it cannot be shown', () => {
  const shown = (value: unknown) => (thrown(() => enableLoopbackFastPath(value as net.Socket)) as Error).message;
  expect(shown({ [inspect.custom]: () => 'a socket' })).toMatch(/Received \[Object\]$/);
  // Older versions of Node ask it.
  const hostile = {
    get [Symbol.toStringTag]() {
      throw new Error('hostile');
    },
  };
  expect(shown(hostile)).toMatch(/Received (object|\[Object\])$/);
});

describe('isLoopbackFastPathError', () => {
  const error = new (LoopbackFastPathError as new (code: string, message: string) => LoopbackFastPathError)(
    'WSAEINVAL',
    'no',
  );

  test('recognises errors of the package, also by code', () => {
    expect(isLoopbackFastPathError(error)).toBe(true);
    expect(isLoopbackFastPathError(error, 'WSAEINVAL')).toBe(true);
    expect(isLoopbackFastPathError(error, 'WSAEOPNOTSUPP')).toBe(false);
  });

  test.each([...notTargets, ['another error', new Error('x')], ['an imitation', { name: 'LoopbackFastPathError' }]])(
    'says no to %s',
    (_what, value) => {
      expect(isLoopbackFastPathError(value)).toBe(false);
    },
  );

  test('refuses a code that is no string', () => {
    expect(thrown(() => isLoopbackFastPathError(error, 10022 as unknown as 'WSAEINVAL'))).toMatchObject({
      name: 'TypeError',
      code: 'ERR_INVALID_ARG_TYPE',
      message: 'The "code" argument must be a string. Received 10022',
    });
  });

  test('says no to what has the mark of one, and is no error', () => {
    const mark = Symbol.for('loopback-fast-path.error');
    expect(mark in error).toBe(true);
    expect(isLoopbackFastPathError({ [mark]: true })).toBe(false);
  });

  test('shows name and code where errors are shown', () => {
    expect(error.stack).toMatch(/^LoopbackFastPathError: no\n/);
    expect(Object.keys(error)).toEqual(['code']);
    expect(error).toBeInstanceOf(Error);
    // As that of Error itself is.
    expect(Object.getOwnPropertyDescriptor(LoopbackFastPathError.prototype, 'name')).toEqual({
      ...Object.getOwnPropertyDescriptor(Error.prototype, 'name'),
      value: 'LoopbackFastPathError',
    });
  });
});

test('WINSOCK_ERROR_CODES is frozen and has each number once', () => {
  expect(Object.isFrozen(WINSOCK_ERROR_CODES)).toBe(true);
  const numbers = Object.values(WINSOCK_ERROR_CODES);
  expect(new Set(numbers).size).toBe(numbers.length);
  expect(WINSOCK_ERROR_CODES).toMatchObject({
    WSA_IO_PENDING: 997,
    WSA_OPERATION_ABORTED: 995,
    WSAEACCES: 10013,
    WSAEFAULT: 10014,
    WSAEINPROGRESS: 10036,
    WSAEINTR: 10004,
    WSAEINVAL: 10022,
    WSAENETDOWN: 10050,
    WSAENOTSOCK: 10038,
    WSAEOPNOTSUPP: 10045,
  });
});
