// The end that measures. Everything here takes a slice of time, a few ten
// milliseconds; bench.ts puts slices together.

import { once } from 'node:events';
import * as net from 'node:net';
import { createHistogram, type RecordableHistogram } from 'node:perf_hooks';
import { enableLoopbackFastPath } from '../../core.js';
import type { Address } from './peer.js';
import type { Shape } from './plan.js';
import { header, message } from './wire.js';

/** What one slice of time gave. */
export interface Slice {
  /** Round trips one after the other (of mean length), bytes or connects per second. */
  readonly speed: number;
  /** Of round trips, in nanoseconds. */
  readonly histogram?: RecordableHistogram;
}

/** Measures a shape on one path for about so many milliseconds. */
export interface Meter {
  measure(shape: Shape, milliseconds: number, signal: AbortSignal): Promise<Slice>;
}

/** A slice that takes as long has come to a standstill. */
const STANDSTILL_MS = 5000;

/** Calls back, once, when a slice is to be given up. @returns what forgets about it. */
export function onGivingUp(signal: AbortSignal, giveUp: (reason: Error) => void): () => void {
  const abort = () => giveUp(signal.reason);
  const timer = setTimeout(() => giveUp(new Error(`no progress for ${STANDSTILL_MS / 1000} s`)), STANDSTILL_MS);
  signal.addEventListener('abort', abort);
  return () => {
    clearTimeout(timer);
    signal.removeEventListener('abort', abort);
  };
}

/** How many writes fill a slice of throughput: each slice is sized by the one before. */
export class WriteCounter {
  readonly #bytesPerSecond = new Map<Shape, number>();

  count(shape: Shape, milliseconds: number): number {
    const { bytes, connections } = shape;
    const guess = 200e6;
    const speed = this.#bytesPerSecond.get(shape) ?? guess;
    return Math.max(1, Math.round((speed * milliseconds) / 1000 / connections / bytes));
  }

  learn(shape: Shape, bytesPerSecond: number): void {
    this.#bytesPerSecond.set(shape, bytesPerSecond);
  }
}

/** The paths on which Node is at both ends. */
export class NodeMeter implements Meter {
  readonly #address: Address;
  readonly #armed: boolean;
  readonly #writes = new WriteCounter();

  constructor(address: Address, armed: boolean) {
    this.#address = address;
    this.#armed = armed;
  }

  async measure(shape: Shape, milliseconds: number, signal: AbortSignal): Promise<Slice> {
    const connections = new Connections(this.#address, this.#armed, signal);
    try {
      return await Promise.race([connections.failed, this.#slice(connections, shape, milliseconds)]);
    } finally {
      await connections.close();
    }
  }

  #slice(connections: Connections, shape: Shape, milliseconds: number): Promise<Slice> {
    if (shape.kind === 'connects') return connects(connections, shape.connections, milliseconds);
    if (shape.kind === 'round-trip') return roundTrips(connections, shape, milliseconds);
    return this.#throughput(connections, shape, milliseconds);
  }

  async #throughput(connections: Connections, shape: Shape, milliseconds: number): Promise<Slice> {
    const { bytes, connections: count } = shape;
    const writes = this.#writes.count(shape, milliseconds);
    const sockets = await connections.open(count, writes * bytes, 1);
    const start = performance.now();
    await Promise.all(sockets.map((socket) => writeAll(socket, message(bytes), writes)));
    const speed = (count * writes * bytes * 1000) / (performance.now() - start);
    this.#writes.learn(shape, speed);
    return { speed };
  }
}

/** Sends a message so many times, and waits for the byte that says that all has arrived. */
function writeAll(socket: net.Socket, data: Buffer, times: number): Promise<void> {
  return new Promise((resolve) => {
    let left = times;
    const pump = () => {
      while (left > 0) {
        left -= 1;
        if (!socket.write(data) && left > 0) {
          socket.once('drain', pump);
          return;
        }
      }
    };
    socket.once('data', () => resolve());
    pump();
  });
}

async function roundTrips(connections: Connections, shape: Shape, milliseconds: number): Promise<Slice> {
  const { bytes, connections: count } = shape;
  const histogram = createHistogram();
  const sockets = await connections.open(count, bytes, bytes);
  const end = performance.now() + milliseconds;
  await Promise.all(sockets.map((socket) => exchange(socket, bytes, end, histogram)));
  return { speed: 1e9 / histogram.mean, histogram };
}

/** One round trip after the other until `end`. */
function exchange(socket: net.Socket, bytes: number, end: number, histogram: RecordableHistogram): Promise<void> {
  const data = message(bytes);
  return new Promise((resolve) => {
    let left = bytes;
    let start = performance.now();
    socket.on('data', (chunk) => {
      left -= chunk.length;
      if (left > 0) return;
      const now = performance.now();
      histogram.record(Math.max(1, Math.round((now - start) * 1e6)));
      if (now >= end) {
        resolve();
        return;
      }
      left = bytes;
      start = performance.now();
      socket.write(data);
    });
    socket.write(data);
  });
}

async function connects(connections: Connections, atATime: number, milliseconds: number): Promise<Slice> {
  const start = performance.now();
  let count = 0;
  const run = async () => {
    do {
      await connections.open(1, 1, 1);
      count += 1;
    } while (performance.now() - start < milliseconds);
  };
  // Closing is not counted, but it is not put off either.
  connections.closeAtOnce = true;
  await Promise.all(Array.from({ length: atATime }, run));
  return { speed: (count * 1000) / (performance.now() - start) };
}

/** The connections of one slice, and what goes wrong with any of them. */
class Connections {
  /** Rejects with the first thing that goes wrong. */
  readonly failed: Promise<never>;
  closeAtOnce = false;
  readonly #address: Address;
  readonly #armed: boolean;
  readonly #sockets = new Set<net.Socket>();
  readonly #stop: () => void;
  #fail: (error: unknown) => void = () => {};
  #over = false;

  constructor(address: Address, armed: boolean, signal: AbortSignal) {
    this.#address = address;
    this.#armed = armed;
    this.failed = new Promise((_resolve, reject) => {
      this.#fail = reject;
    });
    // It is looked at while the slice runs; what fails later is of no interest.
    this.failed.catch(() => {});
    this.#stop = onGivingUp(signal, this.#fail);
  }

  /** Connects, and lets the other end know what requests and responses there will be. */
  async open(count: number, request: number, response: number): Promise<net.Socket[]> {
    return Promise.all(Array.from({ length: count }, () => this.#openOne(header(request, response))));
  }

  #openOne(head: Buffer): Promise<net.Socket> {
    return new Promise((resolve) => {
      if (this.#over) return;
      const socket = net.connect({ ...this.#address, noDelay: true });
      this.#sockets.add(socket);
      socket.on('error', (error) => this.#fail(error));
      socket.on('close', () => {
        this.#sockets.delete(socket);
        if (!this.closeAtOnce) this.#fail(new Error('the connection was closed'));
      });
      // Rather no figure than one of the ordinary path under that name.
      if (this.#armed) enableLoopbackFastPath(socket, { required: true });
      socket.once('connect', () => socket.write(head));
      socket.once('data', () => {
        if (this.closeAtOnce) drop(socket);
        resolve(socket);
      });
    });
  }

  async close(): Promise<void> {
    this.#over = true;
    this.#stop();
    const open = [...this.#sockets];
    for (const socket of open) drop(socket);
    await Promise.all(open.map((socket) => socket.closed || once(socket, 'close')));
  }
}

/** Resets a TCP connection, so that thousands of them leave no port in TIME_WAIT. */
function drop(socket: net.Socket): void {
  if (socket.remoteAddress === undefined) socket.destroy();
  else socket.resetAndDestroy();
}
