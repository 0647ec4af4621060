import { once } from 'node:events';
import { createRequire } from 'node:module';
import * as net from 'node:net';
import { beforeAll, describe, expect, test } from 'vitest';
import type { NativeBinding } from '../../src/native/binding.js';
import { fastPathCalls, take, useRecorder } from '../support/recorder.js';
import { binaryFile, boundHandle, type RawHandle } from '../support/sockets.js';

useRecorder();

const binding = createRequire(import.meta.url)(binaryFile) as NativeBinding;
const COUNT = 10_000;

/** A socket whose name is never found: it has a TCP handle, and no SOCKET. */
function pending(): net.Socket {
  return net.connect({ host: 'nobody.invalid', port: 1, lookup: () => {} });
}

describe(`among ${COUNT} other TCP handles`, () => {
  let others: net.Socket[];
  beforeAll(() => {
    others = Array.from({ length: COUNT }, pending);
    return async () => {
      const closed = others.filter(({ closed }) => !closed).map((socket) => once(socket, 'close'));
      for (const socket of others) socket.destroy();
      await Promise.all(closed);
    };
  });

  /** Finds a handle, with `whileFlipped` called between its unref() and its ref(). */
  function find(handle: RawHandle, whileFlipped = () => {}): unknown {
    return binding.setFastPath(
      {
        hasRef: () => handle.hasRef(),
        unref: () => {
          handle.unref();
          whileFlipped();
        },
        ref: () => handle.ref(),
      },
      true,
      4,
      0,
    );
  }

  test.each([
    ['all referenced', (_index: number) => true],
    ['none referenced, so that the list of candidates grows', (_index: number) => false],
    ['every other referenced', (index: number) => index % 2 === 0],
  ])('each of three is found, %s', (_what, referenced) => {
    for (const [index, socket] of others.entries()) socket[referenced(index) ? 'ref' : 'unref']();
    const handles = [boundHandle(), boundHandle(), boundHandle()];
    take();
    for (const handle of handles) {
      expect(find(handle)).toBe(4);
      expect(handle.hasRef()).toBe(true);
    }
    const numbers = fastPathCalls(take()).map(({ socket }) => socket);
    expect(new Set(numbers).size).toBe(handles.length);
    for (const handle of handles) handle.close();
  });

  test('of which some close while it is looked for', async () => {
    const handle = boundHandle();
    const closing = others.splice(0, 3000);
    const closed = Promise.all(closing.map((socket) => once(socket, 'close')));
    for (const socket of closing) socket.unref();
    take();
    expect(find(handle, () => closing.splice(0, 1000).forEach((socket) => void socket.destroy()))).toBe(4);
    expect(fastPathCalls(take())).toHaveLength(1);
    // Their memory goes in the next turn of the loop.
    for (const socket of closing.splice(0)) socket.destroy();
    await closed;
    expect(find(handle)).toBe(4);
    handle.close();
  });

  test('and one that closes while it is looked for is not found', () => {
    const handle = boundHandle();
    take();
    expect(find(handle, () => handle.close())).toBe('not-tcp');
    expect(fastPathCalls(take())).toEqual([]);
  });
});
