// Talks to bench/native/twin.cc, which measures the same on plain Winsock: what
// the system can do, beside what Node makes of it.

import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createHistogram } from 'node:perf_hooks';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { UsageError } from '../usage-error.js';
import { type Meter, onGivingUp, type Slice, WriteCounter } from './measure.js';
import type { Shape } from './plan.js';

type Child = ChildProcessByStdio<Writable, Readable, null>;

/** Where CMake and node-gyp leave it, in a checkout. */
const PLACES = ['build/x64/Release/', 'bench/native/build/Release/'];

/** Two processes of the twin: one that serves, one that measures. */
export class NativeTwin {
  readonly #server: Child;
  readonly #client: Child;
  readonly #plainPort: number;
  /** 0 where the system refused the ioctl. */
  readonly #fastPort: number;
  readonly #fastError: number;

  private constructor(server: Child, client: Child, hello: Buffer) {
    this.#server = server;
    this.#client = client;
    this.#plainPort = hello.readUInt32LE(0);
    this.#fastPort = hello.readUInt32LE(4);
    this.#fastError = hello.readUInt32LE(8);
  }

  /** @throws {UsageError} where there is none, with what to do. */
  static async start(): Promise<NativeTwin> {
    if (process.platform !== 'win32') throw new UsageError('--native is for Windows: the twin speaks Winsock.');
    const root = new URL('../../../', import.meta.url);
    const file = PLACES.map((place) => fileURLToPath(new URL(`${place}loopback-twin.exe`, root))).find(existsSync);
    if (file === undefined) {
      throw new UsageError('--native needs a checkout of the repository, and "npm run build:native" in it before.');
    }
    const server = await startTwin(file, 'serve');
    const client = await startTwin(file, 'measure');
    try {
      const hello = await unlessGivenUp(server, new AbortController().signal, () => readBytes(server, 12));
      return new NativeTwin(server, client, hello);
    } catch (error) {
      client.kill();
      throw error;
    }
  }

  /** Measures through the twin, or says why it cannot. */
  meter(armed: boolean): Meter | string {
    if (armed && this.#fastPort === 0) return `the system refused the ioctl: error ${this.#fastError}`;
    return new TwinMeter(this.#client, armed ? this.#fastPort : this.#plainPort, armed);
  }

  /** Both exit when their input ends. */
  stop(): void {
    this.#client.stdin.end();
    this.#server.stdin.end();
  }
}

/** One process of the twin. */
export async function startTwin(file: string, mode: 'serve' | 'measure'): Promise<Child> {
  const child = spawn(file, [mode], { stdio: ['pipe', 'pipe', 'inherit'], windowsHide: true });
  // That it ended is seen where its output is read.
  child.stdin.on('error', () => {});
  await once(child, 'spawn');
  return child;
}

/**
 * Waits for something of a twin, but not for ever. One that stands still is ended: what
 * it says later would be taken for the answer to the next command.
 */
async function unlessGivenUp<T>(child: Child, signal: AbortSignal, action: () => Promise<T>): Promise<T> {
  let stop = () => {};
  const givenUp = new Promise<never>((_resolve, reject) => {
    stop = onGivingUp(signal, (reason) => {
      child.kill();
      reject(reason);
    });
  });
  try {
    return await Promise.race([givenUp, action()]);
  } finally {
    stop();
  }
}

export class TwinMeter implements Meter {
  readonly #client: Child;
  readonly #port: number;
  readonly #armed: boolean;
  readonly #writes = new WriteCounter();

  constructor(client: Child, port: number, armed: boolean) {
    this.#client = client;
    this.#port = port;
    this.#armed = armed;
  }

  measure(shape: Shape, milliseconds: number, signal: AbortSignal): Promise<Slice> {
    return unlessGivenUp(this.#client, signal, () => this.#slice(shape, milliseconds));
  }

  async #slice(shape: Shape, milliseconds: number): Promise<Slice> {
    const { kind, bytes, connections } = shape;
    const isRoundTrip = kind === 'round-trip';
    const writes = this.#writes.count(shape, milliseconds);
    const command = Buffer.alloc(32);
    command.writeUInt32LE(this.#port, 0);
    command.writeUInt32LE(this.#armed ? 1 : 0, 4);
    command.writeUInt32LE(isRoundTrip ? 0 : 1, 8);
    command.writeUInt32LE(connections, 12);
    command.writeBigUInt64LE(BigInt(bytes), 16);
    command.writeBigUInt64LE(BigInt(isRoundTrip ? Math.round(milliseconds * 1e6) : writes), 24);
    this.#client.stdin.write(command);

    const answer = await readBytes(this.#client, 8);
    const error = answer.readUInt32LE(0);
    const count = answer.readUInt32LE(4);
    if (error !== 0) throw new Error(`Winsock error ${error} in the twin`);
    const times = new BigUint64Array(new Uint8Array(await readBytes(this.#client, count * 8)).buffer);
    if (isRoundTrip) {
      const histogram = createHistogram();
      for (const time of times) histogram.record(time > 0n ? time : 1n);
      return { speed: 1e9 / histogram.mean, histogram };
    }
    const speed = (connections * writes * bytes * 1e9) / Number(times[0]);
    this.#writes.learn(shape, speed);
    return { speed };
  }
}

/** The next so many bytes that a program prints. @throws {Error} where it ends before. */
async function readBytes({ stdout }: Child, count: number): Promise<Buffer> {
  for (;;) {
    const bytes: Buffer | null = stdout.read(count);
    if (bytes?.length === count) return bytes;
    if (stdout.readableEnded) throw new Error('The twin ended.');
    const either = new AbortController();
    await Promise.race(['readable', 'end'].map((event) => once(stdout, event, either)));
    either.abort();
  }
}
