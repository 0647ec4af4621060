import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import * as net from 'node:net';
import { Worker } from 'node:worker_threads';
import fc from 'fast-check';
import * as api from 'loopback-fast-path';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { NativeBinding } from '../../src/native/binding.js';
import { anyValue, boom, Hostile, outcome, SEED, Sealed } from '../support/hostile.js';
import { answer, openSockets, take, useRecorder } from '../support/recorder.js';
import { binaryFile, boundHandle, closing, echo, exchange, listening, type RawHandle } from '../support/sockets.js';

useRecorder();

const binding = createRequire(import.meta.url)(binaryFile) as NativeBinding;
type Call = (...args: unknown[]) => unknown;
let calls = 0;
const counted =
  (call: unknown): Call =>
  (...args) => {
    calls += 1;
    return (call as Call)(...args);
  };
const setFastPath = counted(binding.setFastPath);
const probe = counted(binding.probe);
const tcpInfo = counted(binding.tcpInfo);

/** What a native function answers; anything but the documented answers is a failure. */
function nativeOutcome(call: () => unknown): string {
  try {
    const result = call();
    if (Buffer.isBuffer(result)) return 'bytes';
    if ([undefined, 4, 6, 'not-tcp', 'ipv6', 'dual-stack'].includes(result as never)) return String(result);
    const { syscall, errno, message, ...rest } = result as Record<string, unknown>;
    const kinds = [typeof syscall, typeof errno, typeof message, ...Object.keys(rest)].join();
    return kinds === 'string,number,string' ? 'failure' : `an object of ${kinds}`;
  } catch (error) {
    if (error instanceof TypeError || error instanceof Hostile) return 'threw';
    throw error;
  }
}

/** Real handles, which methods of hostile ones flip, close and give away. */
function victims(): RawHandle[] {
  return Array.from({ length: 4 }, boundHandle);
}

/** A handle whose methods do `steps` to victims, or call the binding again, before they return or throw. */
function imitation(pool: RawHandle[], steps: readonly [number, number][]): object {
  let step = 0;
  const method = (): unknown => {
    const [what, which] = steps[step++ % steps.length] ?? [0, 0];
    const handle = pool[which % pool.length] as RawHandle;
    switch (what % 7) {
      case 0:
        return handle.ref();
      case 1:
        return handle.unref();
      case 2:
        return handle.hasRef();
      case 3:
        return handle.close();
      case 4:
        return nativeOutcome(() => setFastPath(handle, true, 4, 0));
      case 5:
        return nativeOutcome(() => (which === 1 ? tcpInfo(handle) : probe(which === 0 ? 6 : handle, true)));
      default:
        return boom();
    }
  };
  return { ref: method, unref: method, hasRef: method };
}

const steps = fc.array(fc.tuple(fc.nat(6), fc.nat(3)), { minLength: 1, maxLength: 8 });
const truth = fc.boolean().map((value) => new Sealed<unknown>(() => value));
const family = fc.constantFrom<unknown>(4, 6).map((value) => new Sealed(() => value));
const ipv6 = fc.constantFrom<unknown>(0, 1, 2).map((value) => new Sealed(() => value));
const mostly = (arbitrary: fc.Arbitrary<Sealed<unknown>>) =>
  fc.oneof({ weight: 4, arbitrary }, { weight: 1, arbitrary: anyValue });

describe('the native functions', () => {
  test('answer any arguments as documented, and close every SOCKET', () => {
    fc.assert(
      fc.property(fc.array(mostly(fc.oneof(truth, family, ipv6)), { maxLength: 6 }), (sealed) => {
        const args = sealed.map((value) => value.make());
        const before = openSockets();
        nativeOutcome(() => setFastPath(...args));
        nativeOutcome(() => probe(...args));
        nativeOutcome(() => tcpInfo(...args));
        nativeOutcome(() => Reflect.apply(binding.setFastPath, args[0], args));
        expect(openSockets()).toBe(before);
        take();
      }),
    );
  });

  test('answer any imitation of a handle as documented', () => {
    fc.assert(
      fc.property(steps, mostly(truth), mostly(family), mostly(ipv6), fc.nat(11_100), (list, on, ip, only, errno) => {
        const pool = victims();
        answer(errno);
        nativeOutcome(() => setFastPath(imitation(pool, list), on.make(), ip.make(), only.make()));
        nativeOutcome(() => tcpInfo(imitation(pool, list)));
        for (const handle of pool) handle.close();
        take();
      }),
    );
  });

  // 10 s under Wine: once is enough.
  const newest = Number(process.versions.node.split('.')[0]) >= 26;
  test.skipIf(!newest)('a million calls [on the newest Node only]', { timeout: 120_000 }, () => {
    const sample = <T>(arbitrary: fc.Arbitrary<T>) => fc.sample(arbitrary, { seed: SEED, numRuns: 500 });
    const pool = victims();
    const handles = [
      ...sample(steps).map((list) => imitation(pool, list)),
      ...sample(anyValue).map((value) => value.make()),
      ...pool,
    ];
    const booleans = sample(mostly(truth)).map((value) => value.make());
    const families = sample(mostly(family)).map((value) => value.make());
    const ipv6s = sample(mostly(ipv6)).map((value) => value.make());
    let state = SEED >>> 0 || 1;
    const pick = <T>(list: readonly T[]): T => {
      // xorshift32
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      return list[(state >>> 0) % list.length] as T;
    };
    // Half of the time would go into stack traces that nobody reads.
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 0;
    onTestFinished(() => void Object.assign(Error, { stackTraceLimit }));
    const seen: Record<string, number> = {};
    calls = 0;
    for (let turn = 0; calls < 1_000_000; ++turn) {
      if (turn % 4000 === 0) {
        take(false);
        // Closed ones are of no use any more.
        for (const index of pool.keys()) pool.splice(index, 1, boundHandle())[0]?.close();
        handles.splice(-pool.length, pool.length, ...pool);
        answer(pick([0, 0, 0, 0, 0, 10045, 10022]));
      }
      const result =
        turn % 100 === 0
          ? nativeOutcome(() => probe(pick(families), pick(booleans)))
          : nativeOutcome(() => setFastPath(pick(handles), pick(booleans), pick(families), pick(ipv6s)));
      seen[result] = (seen[result] ?? 0) + 1;
    }
    take(false);
    for (const handle of pool) handle.close();
    expect(Object.keys(seen).sort()).toEqual(['4', 'failure', 'not-tcp', 'threw', 'undefined']);
    // The imitations close real handles faster than new ones are made: few calls find one open.
    const { 4: applied, ...others } = seen;
    expect(applied).toBeGreaterThan(10);
    for (const count of Object.values(others)) expect(count).toBeGreaterThan(1000);
  });
});

test('calls from every callback of a connection end as documented, and its traffic flows', {
  timeout: 60_000,
}, async () => {
  const port = await echo();
  const functions = [
    api.enableLoopbackFastPath,
    api.tryEnableLoopbackFastPath,
    api.disableLoopbackFastPath,
    api.getLoopbackFastPathStatus,
    api.isLoopbackFastPathError,
    api.probeLoopbackFastPath,
    (_target, options) => api.registerLoopbackFastPath(options as object)(),
    // Not what makes a connection: each has callbacks of its own, which would make more.
  ] as Call[];
  const moments = ['lookup', 'connectionAttempt', 'connect', 'ready', 'data', 'close', 'newListener', 'status'];
  const action = fc.tuple(
    fc.constantFrom(...moments),
    fc.constantFrom(...functions),
    fc.oneof(fc.constantFrom('self', 'other', 'server'), anyValue),
    fc.oneof(
      fc.constantFrom({}, { ipv6: true }, { ipv6: 'dual-stack' }).map((options) => new Sealed<unknown>(() => options)),
      anyValue,
    ),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(action, { maxLength: 6 }), async (actions) => {
      const server = net.createServer();
      const other = new net.Socket();
      let socket: net.Socket | undefined;
      let busy = false;
      const at = (moment: string) => () => {
        if (busy) return;
        busy = true;
        for (const [when, call, on, options] of actions) {
          if (when !== moment) continue;
          const target = on === 'self' ? socket : on === 'other' ? other : on === 'server' ? server : on.make();
          outcome(() => call(target, options.make()));
        }
        busy = false;
      };
      const status = at('status');
      subscribe('loopback-fast-path:status', status);
      socket = net.connect({
        port,
        host: 'localhost',
        lookup: (_name, options, callback) => {
          at('lookup')();
          if (options.all) callback(null, [{ address: '127.0.0.1', family: 4 }]);
          else callback(null, '127.0.0.1', 4);
        },
      });
      for (const moment of moments) socket.on(moment, at(moment));
      api.tryEnableLoopbackFastPath(socket);
      try {
        await once(socket, 'connect');
        expect(await exchange(socket)).toBe('ping');
      } finally {
        unsubscribe('loopback-fast-path:status', status);
        socket.destroy();
        await once(socket, 'close');
      }
    }),
    { numRuns: 60 },
  );
});

test('a client whose handle is replaced by anything: typed errors, and no other exception', () => {
  fc.assert(
    fc.property(anyValue, fc.boolean(), (value, getter) => {
      const socket = closing(new net.Socket());
      api.enableLoopbackFastPath(socket);
      const made = value.make();
      Object.defineProperty(socket, '_handle', { configurable: true, ...(getter ? { get: boom } : { value: made }) });
      for (const call of [api.enableLoopbackFastPath, api.disableLoopbackFastPath, api.tryEnableLoopbackFastPath]) {
        outcome(() => (call as Call)(socket));
      }
      outcome(() => api.getLoopbackFastPathStatus(socket));
      Reflect.deleteProperty(socket, '_handle');
    }),
  );
});

test('a listener whose handle is replaced by anything: a status, and no exception but Node’s', async () => {
  const server = net.createServer();
  api.enableLoopbackFastPath(server);
  await listening(server);
  const { _handle: handle } = server as unknown as { _handle: RawHandle };
  onTestFinished(() => void Object.defineProperty(server, '_handle', { configurable: true, value: handle }));
  fc.assert(
    fc.property(anyValue, (value) => {
      Object.defineProperty(server, '_handle', { configurable: true, value: value.make() });
      for (const call of [api.enableLoopbackFastPath, api.disableLoopbackFastPath, api.tryEnableLoopbackFastPath]) {
        outcome(() => (call as Call)(server));
      }
    }),
  );
});

test.each([
  'undefined',
  'null',
  '5',
  '{}',
  '{ probe: 1, setFastPath: 2 }',
  '{ probe() {}, setFastPath: null }',
  'Proxy.revocable({}, {}).proxy',
  '{ get probe() { throw 1; } }',
])('useBinary(() => %s): no binary', async (value) => {
  const program = `
    import { parentPort } from 'node:worker_threads';
    import { Socket } from 'node:net';
    const api = await import(${JSON.stringify(import.meta.resolve('loopback-fast-path/custom'))});
    api.useBinary(() => (${value}));
    const socket = new Socket();
    parentPort.postMessage([
      api.probeLoopbackFastPath().error.code,
      api.tryEnableLoopbackFastPath(socket),
      api.getLoopbackFastPathStatus(socket).error.code,
    ]);`;
  const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(program)}`));
  const [result] = await once(worker, 'message');
  expect(result).toEqual(['ERR_LOOPBACK_FAST_PATH_BINARY', false, 'ERR_LOOPBACK_FAST_PATH_BINARY']);
  await worker.terminate();
});
