import { type EventEmitter, once } from 'node:events';
import * as http from 'node:http';
import * as https from 'node:https';
import * as net from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import {
  createFastPathConnection,
  enableLoopbackFastPath,
  FastPathAgent,
  FastPathHttpsAgent,
  fastPathConnector,
  getLoopbackFastPathStatus,
  isLoopbackFastPathError,
  LoopbackFastPathError,
  type LoopbackFastPathErrorCode,
  probeLoopbackFastPath,
  registerLoopbackFastPath,
} from 'loopback-fast-path';
import * as undici from 'undici';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import {
  ASK_THE_SYSTEM,
  answer,
  connectStories,
  fastPathCalls,
  freshPackage,
  layerProviders,
  listenStories,
  SILENT_LAYER,
  take,
  useRecorder,
} from '../support/recorder.js';
import { boundHandle, certificate, closing, echo, exchange, listening } from '../support/sockets.js';

// Everything that can go wrong, in every way that the package is used, best
// effort and required. Each test closes as many SOCKETs as it made.

useRecorder();

// A registration asks it first, once in a thread.
beforeAll(() => {
  answer(0);
  expect(probeLoopbackFastPath()).toEqual({ supported: true });
});

interface Fault {
  /** Makes it happen to the next SOCKET. */
  cause(): void;
  expected: { code: LoopbackFastPathErrorCode; errno?: number; syscall?: string };
  /** Who it cannot happen to, and why. */
  not?: { [who: string]: string };
}

const BIND_IS_NODES = 'Node binds a listener, and reports it';
const NO_HANDLE = 'its SOCKET has no handle';
const NO_BIND = 'its SOCKET is not bound';

// E1 to E10, one that the Winsock list has but the ioctl's page does not, and one that nobody has.
const codes: [LoopbackFastPathErrorCode, number][] = [
  ['WSA_IO_PENDING', 997],
  ['WSA_OPERATION_ABORTED', 995],
  ['WSAEACCES', 10013],
  ['WSAEFAULT', 10014],
  ['WSAEINPROGRESS', 10036],
  ['WSAEINTR', 10004],
  ['WSAEINVAL', 10022],
  ['WSAENETDOWN', 10050],
  ['WSAENOTSOCK', 10038],
  ['WSAEOPNOTSUPP', 10045],
  ['WSAENOBUFS', 10055],
  ['WSA_12345', 12345],
];

const faults: Record<string, Fault> = Object.fromEntries(
  codes.map(([code, errno]): [string, Fault] => [
    code,
    { cause: () => answer(errno), expected: { code, errno, syscall: 'WSAIoctl' } },
  ]),
);

faults['base provider, lookup'] = {
  cause() {
    layerProviders(SILENT_LAYER);
    answer([10045], 0);
  },
  expected: { code: 'WSAEOPNOTSUPP', errno: 10045, syscall: 'WSAIoctl' },
};
faults['base provider, ioctl'] = {
  cause() {
    layerProviders(0x100000);
    answer([10045, 10013], 0);
  },
  expected: { code: 'WSAEACCES', errno: 10013, syscall: 'WSAIoctl' },
};
faults.bind = {
  cause: () => answer([10055], ASK_THE_SYSTEM, 'bind'),
  expected: { code: 'WSAENOBUFS', errno: 10055, syscall: 'bind' },
  not: { probe: NO_BIND, server: BIND_IS_NODES },
};
faults['socket, of the probe'] = {
  cause: () => answer([10024], ASK_THE_SYSTEM, 'socket'),
  expected: { code: 'WSAEMFILE', errno: 10024, syscall: 'WSASocket' },
  not: { client: 'it is the next one', server: BIND_IS_NODES },
};
faults['socket, of a client'] = {
  cause: () => answer([10024], ASK_THE_SYSTEM, 'socket'),
  // libuv makes it inside its bind.
  expected: { code: 'WSAEMFILE', errno: 10024, syscall: 'bind' },
  not: { probe: 'it is the one before', server: BIND_IS_NODES },
};
faults['loop lookup'] = {
  cause() {
    // The class of handles that Node has for TCP: all of them lose unref().
    const handle = boundHandle();
    const handleClass = Object.getPrototypeOf(Object.getPrototypeOf(handle));
    const owner = Object.hasOwn(handleClass, 'unref') ? handleClass : Object.getPrototypeOf(handleClass);
    const found = Object.getOwnPropertyDescriptor(owner, 'unref');
    handle.close();
    if (found === undefined) throw new Error('unref() is elsewhere');
    Object.defineProperty(owner, 'unref', {
      ...found,
      value() {
        throw new Error('lookup');
      },
    });
    onTestFinished(() => void Object.defineProperty(owner, 'unref', found));
    take();
  },
  expected: { code: 'ERR_LOOPBACK_FAST_PATH_HOST' },
  not: { probe: NO_HANDLE },
};

/** A way to use the package; what it did is an error, or a status and traffic. */
interface Way {
  kind: 'client' | 'server' | 'probe';
  /** Whether it knows `required`. */
  required: boolean;
  /** Prepares what must be there before the fault. */
  prepare(): Promise<(fastPath: { required: boolean }) => Promise<Result>>;
}

interface Result {
  /** The status of its socket or server; undefined where it has none. */
  status?: ReturnType<typeof getLoopbackFastPathStatus>;
  /** What ended it. */
  error?: unknown;
  /** What was exchanged. */
  exchanged?: string;
}

/** The error that comes before an event, if one does. */
function outcome(emitter: EventEmitter, event: string): Promise<unknown> {
  return new Promise((resolve) => {
    emitter.once(event, () => resolve(undefined));
    emitter.on('error', resolve);
  });
}

/** Every client and server, to see whether somebody holds on to it. */
const used: WeakRef<object>[] = [];

/** What becomes of a client, whoever made it. */
async function clientResult(socket: net.Socket): Promise<Result> {
  closing(socket);
  used.push(new WeakRef(socket));
  const error = await outcome(socket, 'connect');
  const status = getLoopbackFastPathStatus(socket);
  if (error === undefined) return { status, exchanged: await exchange(socket) };
  expect(socket.destroyed).toBe(true);
  return { status, error };
}

/** What becomes of a server. */
async function serverResult(server: net.Server): Promise<Result> {
  used.push(new WeakRef(server));
  const listened = outcome(server, 'listening');
  server.listen(0, '127.0.0.1');
  const error = await listened;
  const status = getLoopbackFastPathStatus(server);
  if (error !== undefined) {
    expect([server.listening, server.address()]).toEqual([false, null]);
    return { status, error };
  }
  const socket = closing(net.connect((server.address() as net.AddressInfo).port, '127.0.0.1'));
  onTestFinished(() => void server.close());
  await once(socket, 'connect');
  return { status, exchanged: await exchange(socket) };
}

/** A request through an agent; an echo of its own, since there is no socket to write to. */
function agentWay(secure: boolean, makeAgent: (fastPath: { required: boolean }) => http.Agent): Way {
  return {
    kind: 'client',
    required: true,
    async prepare() {
      const answerPing: http.RequestListener = (_request, response) => response.end('ping');
      const server = secure ? https.createServer(certificate, answerPing) : http.createServer(answerPing);
      const port = await listening(server as net.Server);
      return async (fastPath) => {
        const agent = makeAgent(fastPath);
        onTestFinished(() => agent.destroy());
        const options = { host: '127.0.0.1', port, agent, ca: certificate.cert, servername: 'localhost' };
        const request = secure ? https.get(options) : http.get(options);
        let socket: net.Socket | undefined;
        let response: http.IncomingMessage | undefined;
        request.on('socket', (given) => {
          socket = given;
          used.push(new WeakRef(given));
        });
        request.on('response', (got) => {
          response = got;
        });
        const error = await outcome(request, 'response');
        const status = socket && getLoopbackFastPathStatus(socket);
        const text = await response?.setEncoding('utf8').toArray();
        return { ...(status && { status }), ...(text ? { exchanged: text.join('') } : { error }) };
      };
    },
  };
}

/** An echo to connect to, made before the fault. */
function clientWay(required: boolean, connect: (port: number, fastPath: { required: boolean }) => net.Socket): Way {
  return {
    kind: 'client',
    required,
    async prepare() {
      const port = await echo();
      return (fastPath) => clientResult(connect(port, fastPath));
    },
  };
}

function serverWay(required: boolean, arm: (server: net.Server, fastPath: { required: boolean }) => void): Way {
  return {
    kind: 'server',
    required,
    async prepare() {
      const server = net.createServer((socket) => socket.on('error', () => {}).pipe(socket));
      return (fastPath) => {
        arm(server, fastPath);
        return serverResult(server);
      };
    },
  };
}

const registered = () => onTestFinished(registerLoopbackFastPath());

const ways: Record<string, Way> = {
  probe: {
    kind: 'probe',
    required: false,
    async prepare() {
      const probe = freshPackage().probeLoopbackFastPath;
      return async () => {
        const result = probe();
        // What every socket will get is asked for once; anything else may pass.
        const isFinal = result.supported || result.error.code === 'WSAEOPNOTSUPP';
        if (isFinal) expect(probe()).toBe(result);
        else expect(probe()).not.toBe(result);
        return result.supported ? {} : { status: { state: 'failed', error: result.error } };
      };
    },
  },
  'enable(client)': clientWay(true, (port, fastPath) => {
    const socket = net.connect(port, '127.0.0.1');
    enableLoopbackFastPath(socket, fastPath);
    return socket;
  }),
  'enable(server)': serverWay(true, (server, fastPath) => enableLoopbackFastPath(server, fastPath)),
  createFastPathConnection: clientWay(true, (port, fastPath) =>
    createFastPathConnection({ port, host: '127.0.0.1', fastPath }),
  ),
  FastPathAgent: agentWay(false, (fastPath) => new FastPathAgent({ fastPath })),
  FastPathHttpsAgent: agentWay(true, (fastPath) => new FastPathHttpsAgent({ fastPath })),
  fastPathConnector: {
    kind: 'client',
    required: true,
    async prepare() {
      const port = await echo();
      return (fastPath) =>
        new Promise((resolve) => {
          const request = { hostname: '127.0.0.1', protocol: 'http:', port: String(port) };
          fastPathConnector(undici.buildConnector({}), fastPath)(request, (error, socket) => {
            if (error) resolve({ error });
            else
              exchange(closing(socket)).then((exchanged) =>
                resolve({ status: getLoopbackFastPathStatus(socket), exchanged }),
              );
          });
        });
    },
  },
  'registered client': clientWay(false, (port) => {
    registered();
    return net.connect(port, '127.0.0.1');
  }),
  'registered server': serverWay(false, () => registered()),
};

const table = new Map<string, Map<string, string[]>>();

describe.each(Object.entries(faults))('%s (R8, R9, E1 to E10)', (faultName, fault) => {
  const cells = new Map<string, string[]>();
  table.set(faultName, cells);

  describe.each(Object.entries(ways).filter(([, { kind }]) => fault.not?.[kind] === undefined))(
    '%s',
    (wayName, way) => {
      test.each(way.required ? [false, true] : [false])('required: %s', async (required) => {
        const act = await way.prepare();
        take();
        fault.cause();
        const result = await act({ required });
        const { expected } = fault;

        const error = required ? result.error : result.status?.state === 'failed' && result.status.error;
        expect(error).toMatchObject({ name: 'LoopbackFastPathError', ...expected });
        // The probe's module is a copy, whose errors count as well.
        expect(isLoopbackFastPathError(error, expected.code)).toBe(true);
        expect((error as LoopbackFastPathError).message).toMatch(/\.$/);
        if (expected.errno !== undefined) {
          expect((error as LoopbackFastPathError).message).toContain(
            `${expected.syscall} ${expected.code} (${expected.errno})`,
          );
        }
        if (required) {
          // Nobody is connected, and nobody listens.
          if (result.status !== undefined) expect(result.status).toMatchObject({ state: 'failed', error: expected });
          expect(result.exchanged).toBeUndefined();
          if (way.kind === 'server') expect(listenStories(take())).toEqual([]);
        } else {
          expect(result.error).toBeUndefined();
          expect(result.exchanged).toBe(way.kind === 'probe' ? undefined : 'ping');
        }
        cells.set(wayName, [...(cells.get(wayName) ?? []), required ? 'required' : 'best effort']);
      });
    },
  );
});

afterAll(() => {
  const names = Object.keys(ways);
  const lines = [...table].map(([fault, cells]) =>
    [fault.padEnd(22), ...names.map((name) => String(cells.get(name)?.length ?? '-').padStart(name.length))].join(
      ' | ',
    ),
  );
  const all = [...table.values()].flatMap((cells) => [...cells.values()].flat());
  const count = (mode: string) => all.filter((each) => each === mode).length;
  console.log(
    [
      ['fault'.padEnd(22), ...names].join(' | '),
      ...lines,
      `${all.length} cases as specified: ${count('best effort')} best effort, ${count('required')} required; "-": it cannot happen there`,
    ].join('\n'),
  );
});

test('nobody holds on to a socket or server that failed', async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  expect(used.length).toBeGreaterThan(150);
  for (let i = 0; i < 50 && used.some((each) => each.deref() !== undefined); ++i) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    collect();
  }
  // The latest can still be on the stack, or in what the test runner keeps.
  expect(used.filter((each) => each.deref() !== undefined).length).toBeLessThan(5);
});

test('the ioctl is asked for once, and the base provider only for "not supported" (R9)', async () => {
  for (const [, errno] of codes) {
    const probe = freshPackage().probeLoopbackFastPath;
    answer(errno);
    take();
    probe();
    const calls = take();
    expect(fastPathCalls(calls)).toHaveLength(1);
    expect(calls.map(({ call }) => call)).toEqual(
      errno === 10045 ? ['socket', 'WSAIoctl', 'WSAIoctl', 'closesocket'] : ['socket', 'WSAIoctl', 'closesocket'],
    );
    answer(errno);
    const socket = closing(net.connect(await echo(), '127.0.0.1'));
    enableLoopbackFastPath(socket);
    await once(socket, 'connect');
    expect(connectStories(take())).toEqual([['bind 0.0.0.0', 'fast path on', 'ConnectEx 127.0.0.1']]);
    expect(getLoopbackFastPathStatus(socket)).toMatchObject({ error: expect.any(LoopbackFastPathError) });
  }
});
