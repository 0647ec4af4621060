import { once } from 'node:events';
import { createRequire } from 'node:module';
import * as net from 'node:net';
import { Worker } from 'node:worker_threads';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { NativeBinding } from '../../src/native/binding.js';
import { onWine } from '../support/cli.js';
import {
  ASK_THE_SYSTEM,
  answer,
  fastPathCalls,
  layerProviders,
  openSockets,
  SIO_BASE_HANDLE,
  SIO_TCP_INFO,
  sayTcpInfo,
  take,
  useRecorder,
} from '../support/recorder.js';
import { binaryFile, boundHandle, closing, echo, listening, type RawHandle } from '../support/sockets.js';
import { tcpInfoBytes } from '../support/windows-output.js';

useRecorder();

const binding = createRequire(import.meta.url)(binaryFile) as NativeBinding;

function handleOf(target: net.Socket | net.Server): RawHandle {
  return (target as unknown as { _handle: RawHandle })._handle;
}

/** A handle that is not one, as the binding is told. */
function imitation(ref: () => void, unref: () => void, hasRef: () => unknown = () => true): object {
  return { ref, unref, hasRef };
}

test('exports what src/native/binding.ts says, and no more', () => {
  expect(Object.keys(binding).sort()).toEqual(['isLayered', 'probe', 'setFastPath', 'tcpInfo']);
});

describe('arguments', () => {
  const wrong = [undefined, null, true, 4, 'x', 10n, Symbol('s')];
  const call = (name: 'setFastPath' | 'probe' | 'isLayered' | 'tcpInfo', args: unknown[]) => () =>
    Reflect.apply(binding[name] as (...args: unknown[]) => unknown, undefined, args);

  test.each(wrong)('handle: %s', (value) => {
    expect(call('setFastPath', [value, true, 4, false])).toThrow(TypeError);
    expect(call('tcpInfo', [value])).toThrow(TypeError);
  });

  test.each([undefined, null, 1, 'on', {}])('on: %s', (value) => {
    expect(call('setFastPath', [{}, value, 4, false])).toThrow(new TypeError('on must be a boolean'));
    expect(call('probe', [4, value])).toThrow(new TypeError('on must be a boolean'));
  });

  test.each([undefined, null, 0, 5, 4.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 32 + 4, -4, '4', 4n, {}])(
    'family: %s',
    (value) => {
      expect(call('setFastPath', [{}, true, value, false])).toThrow(new TypeError('family must be 4 or 6'));
      expect(call('probe', [value, true])).toThrow(new TypeError('family must be 4 or 6'));
      expect(call('isLayered', [value])).toThrow(new TypeError('family must be 4 or 6'));
    },
  );

  test.each([undefined, null, true, -1, 3, 0.5, {}])('ipv6: %s', (value) => {
    expect(call('setFastPath', [{}, true, 4, value])).toThrow(new TypeError('ipv6 must be 0, 1 or 2'));
  });

  test('none of them reaches Winsock', () => {
    expect(fastPathCalls(take())).toEqual([]);
  });
});

describe('a handle that imitates one', () => {
  let victim: net.Server;
  let other: net.Server;
  beforeAll(async () => {
    victim = net.createServer();
    other = net.createServer();
    for (const server of [victim, other]) {
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
    }
  });
  afterAll(() => {
    victim.close();
    other.close();
  });

  test.each<[string, object]>([
    ['has nothing', {}],
    ['has no functions', { hasRef: 1, ref: 2, unref: 3 }],
    ['is a proxy without a target any more', revoked()],
    ['throws in hasRef', imitation(noop, noop, boom)],
    ['throws in unref', imitation(noop, boom)],
    ['throws in ref', imitation(boom, noop)],
    ['has accessors that throw', Object.defineProperty({}, 'hasRef', { get: boom })],
  ])('%s: an exception', (_what, handle) => {
    expect(() => binding.setFastPath(handle, true, 4, 0)).toThrow();
    expect(fastPathCalls(take())).toEqual([]);
  });

  test('flips nothing, a timer, a pipe, or several at once: not-tcp', async () => {
    const path = `\\\\.\\pipe\\loopback-fast-path-native-${process.pid}`;
    const pipe = net.createServer();
    await listening(pipe, path);
    const timer = setTimeout(() => {}, 1000);
    const three = [victim, other, net.createServer()];
    await listening(three[2] as net.Server);
    const all = (method: 'ref' | 'unref') => () => {
      for (const server of three) handleOf(server)[method]();
    };
    for (const handle of [
      imitation(noop, noop),
      imitation(noop, noop, () => 'what'),
      imitation(
        () => timer.ref(),
        () => timer.unref(),
      ),
      handleOf(pipe),
      imitation(all('ref'), all('unref')),
      // One goes one way while two go the other: the counts differ by one.
      imitation(
        () => {
          handleOf(victim).unref();
          handleOf(other).ref();
          handleOf(three[2] as net.Server).ref();
        },
        () => {
          handleOf(victim).ref();
          handleOf(other).unref();
          handleOf(three[2] as net.Server).unref();
        },
      ),
    ]) {
      expect(binding.setFastPath(handle, true, 4, 0)).toBe('not-tcp');
    }
    clearTimeout(timer);
    for (const server of [victim, other]) handleOf(server).ref();
    expect(fastPathCalls(take())).toEqual([]);
  });

  test('a closed handle, and one that closes while it is looked for: not-tcp', async () => {
    const server = net.createServer();
    await listening(server);
    const handle = handleOf(server);
    const closingHandle = imitation(
      () => {
        handle.ref();
        server.close();
      },
      () => handle.unref(),
    );
    expect(binding.setFastPath(closingHandle, true, 4, 0)).toBe('not-tcp');
    expect(binding.setFastPath(handle, true, 4, 0)).toBe('not-tcp');
    await once(server, 'close');
    expect(binding.setFastPath(handle, true, 4, 0)).toBe('not-tcp');
  });
});

describe.each([4, 6] as const)('isLayered of IPv%i', (family) => {
  test('asks for the base socket, and nothing else of it', () => {
    expect(binding.isLayered(family)).toBe(false);
    layerProviders(1 << 20);
    expect(binding.isLayered(family)).toBe(true);
    const asked = take().filter(({ call }) => call === 'WSAIoctl');
    expect(asked.map(({ code }) => code)).toEqual([SIO_BASE_HANDLE, SIO_BASE_HANDLE]);
  });

  test('says so where no socket can be made', () => {
    answer([10047], ASK_THE_SYSTEM, 'socket');
    expect(binding.isLayered(family)).toMatchObject({ syscall: 'WSASocket', errno: 10047 });
  });
});

describe('tcpInfo', () => {
  test('asks for version 0 of the SOCKET under the handle, and gives what was written', async () => {
    const socket = closing(net.connect(await echo(), '127.0.0.1'));
    await once(socket, 'connect');
    sayTcpInfo(tcpInfoBytes());
    take();
    expect(binding.tcpInfo(handleOf(socket))).toEqual(tcpInfoBytes());
    const calls = take();
    expect(calls).toHaveLength(1);
    expect(calls[0]).toMatchObject({
      ...{ call: 'WSAIoctl', code: SIO_TCP_INFO, value: 0, inputSize: 4, outputSize: 88 },
      ...{ hasOutput: true, hasBytesReturned: true, overlapped: false },
    });
    // A system that knows less writes less.
    sayTcpInfo(tcpInfoBytes().subarray(0, 40));
    expect(binding.tcpInfo(handleOf(socket))).toEqual(tcpInfoBytes().subarray(0, 40));
    // The reference of the handle is as it was.
    expect(handleOf(socket).hasRef()).toBe(true);
  });

  test('returns what the system answered, or that there is no SOCKET', async () => {
    const server = net.createServer();
    await listening(server);
    const failure = binding.tcpInfo(handleOf(server));
    // Windows may know it of a listener.
    if (onWine) expect(failure).toMatchObject({ syscall: 'WSAIoctl', errno: 10045 });
    else expect(Buffer.isBuffer(failure) || (failure as { syscall: string }).syscall === 'WSAIoctl').toBe(true);
    expect(
      binding.tcpInfo(
        imitation(
          () => {},
          () => {},
        ),
      ),
    ).toBe('not-tcp');
  });
});

describe('the lookup', () => {
  test.each([true, false])('leaves the reference as it was (%s)', async (referenced) => {
    const server = net.createServer();
    await listening(server);
    if (!referenced) server.unref();
    expect(binding.setFastPath(handleOf(server), true, 4, 0)).toBe(4);
    expect(handleOf(server).hasRef()).toBe(referenced);
  });

  // 256 unreferenced ones fill a batch of the lookup.
  test.each([
    ['some unreferenced', 60, (index: number) => index % 3 === 0],
    ['more unreferenced than a batch holds', 600, () => true],
  ])('finds each of many, %s, and none of its neighbours', (_what, count, unreferenced) => {
    const handles = Array.from({ length: count }, boundHandle);
    const numbers = new Set<number>();
    for (const [index, handle] of handles.entries()) if (unreferenced(index)) handle.unref();
    take();
    for (const handle of handles) {
      expect(binding.setFastPath(handle, true, 4, 0)).toBe(4);
      const [call] = fastPathCalls(take());
      numbers.add(call?.socket ?? -1);
    }
    expect(numbers.size).toBe(handles.length);
    for (const handle of handles) handle.close();
  });

  test('turns it off as well (R3)', async () => {
    const server = net.createServer();
    await listening(server);
    expect(binding.setFastPath(handleOf(server), false, 4, 0)).toBe(4);
    expect(fastPathCalls(take())).toMatchObject([{ value: 0, inputSize: 4 }]);
    expect(binding.probe(4, false)).toBe(undefined);
    expect(fastPathCalls(take())).toMatchObject([{ value: 0, inputSize: 4 }]);
  });

  test('gives a client without a SOCKET one, bound to ANY:0', async () => {
    const socket = closing(net.connect(await echo(), '127.0.0.1'));
    take();
    expect(binding.setFastPath(handleOf(socket), true, 4, 0)).toBe(4);
    expect(take().map(({ call }) => call)).toEqual(expect.arrayContaining(['socket', 'bind', 'WSAIoctl']));
    await once(socket, 'connect');
    expect(take().map(({ call }) => call)).not.toContain('bind');
  });
});

test.each([4, 6] as const)('the probe of IPv%i closes its SOCKET, whatever the answer', (family) => {
  const before = openSockets();
  for (const error of [0, 10045, 10022]) {
    answer(error);
    const result = binding.probe(family, true);
    expect(result?.errno ?? 0).toBe(error);
    expect(openSockets()).toBe(before);
  }
});

test('each worker has its own instance, which goes with it', async () => {
  const program = `
    const { parentPort } = require('node:worker_threads');
    const net = require('node:net');
    const binding = require(${JSON.stringify(binaryFile)});
    const server = net.createServer().listen(0, '127.0.0.1', () => {
      parentPort.postMessage([binding.setFastPath(server._handle, true, 4, 0), binding.probe(4, true)]);
      server.close();
    });`;
  for (let round = 0; round < 3; ++round) {
    const workers = Array.from({ length: 4 }, () => new Worker(program, { eval: true }));
    const exits = Promise.all(workers.map((worker) => once(worker, 'exit')));
    const answers = await Promise.all(workers.map((worker) => once(worker, 'message')));
    expect(answers).toEqual(workers.map(() => [[4, undefined]]));
    await exits;
  }
  const server = net.createServer();
  await listening(server);
  expect(binding.setFastPath(handleOf(server), true, 4, 0)).toBe(4);
});

test('a worker that is terminated in the middle of a call takes nothing with it', { timeout: 60_000 }, async () => {
  const program = `
    const net = require('node:net');
    const binding = require(${JSON.stringify(binaryFile)});
    const server = net.createServer().listen(0, '127.0.0.1', () => {
      require('node:worker_threads').parentPort.postMessage('busy');
      const wrong = { hasRef: () => true, unref() {}, ref() { throw new Error('no'); } };
      for (;;) {
        binding.setFastPath(server._handle, true, 4, 0);
        binding.probe(4, true);
        try { binding.setFastPath(wrong, true, 4, 0); } catch {}
        try { binding.probe(5, true); } catch {}
      }
    });`;
  answer(10045);
  for (const delay of [0, 4, 8, 12, 16]) {
    const workers = Array.from({ length: 4 }, () => new Worker(program, { eval: true }));
    await Promise.all(workers.map((worker) => once(worker, 'message')));
    await new Promise((resolve) => setTimeout(resolve, delay));
    await Promise.all(workers.map((worker) => worker.terminate()));
    take(false);
  }
});

function noop(): void {}

function boom(): never {
  throw new Error('boom');
}

function revoked(): object {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}
