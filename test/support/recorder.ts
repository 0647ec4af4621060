import { createRequire } from 'node:module';
import { Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { beforeAll, beforeEach, expect } from 'vitest';

/** One Winsock call, as test/recorder/recorder.cc saw it. */
export interface Call {
  call: CallName;
  socket: number;
  /** What the caller was told; 0 for success. */
  error: number;
  family?: 4 | 6;
  address?: string;
  port?: number;
  level?: number;
  code: number;
  value: number;
  inputSize?: number;
  outputSize?: number;
  hasOutput?: boolean;
  hasBytesReturned?: boolean;
  overlapped?: boolean;
}

type CallName =
  | 'socket'
  | 'bind'
  | 'listen'
  | 'ConnectEx'
  | 'AcceptEx'
  | 'WSAIoctl'
  | 'setsockopt'
  | 'getsockopt'
  | 'closesocket';

interface Binding {
  calls: CallName[];
  install(): number;
  take(): Call[] & { dropped: number };
  setAnswers(call: number, queue: number[], then: number): boolean;
  hide(name: string): void;
  setLayer(offset: number): void;
  setTcpInfo(bytes: Buffer): void;
  setRecording(on: boolean): void;
  openSockets(): number;
}

export const SIO_LOOPBACK_FAST_PATH = 0x98000010;
export const SIO_BASE_HANDLE = 0x48000022;
export const SIO_TCP_INFO = 0xd8000027;

/** Leaves the answer to Windows (or Wine). */
export const ASK_THE_SYSTEM = -1;

/**
 * For tests of what flows: the answer is the system's own, on Windows and on the Wine
 * that accepts the ioctl. The one that refuses it is left to the recorder.
 */
export const THE_SYSTEM_ACCEPTS = process.env.LOOPBACK_TEST_SYSTEM === 'wine' ? 0 : ASK_THE_SYSTEM;

const binding = createRequire(import.meta.url)('./recorder-binding.cjs') as Binding;

/** What the next ioctls (or the Winsock call `call`) get: `queue` first, `then` after that. */
export function answer(queue: number | number[], then = ASK_THE_SYSTEM, call: CallName = 'WSAIoctl'): void {
  const sticky = typeof queue === 'number';
  binding.setAnswers(binding.calls.indexOf(call), sticky ? [] : queue, sticky ? queue : then);
}

/** A layered provider that does not answer SIO_BASE_HANDLE. */
export const SILENT_LAYER = 0xffffffff;

/** As if a layered provider were installed: base sockets have other numbers. */
export function layerProviders(offset: number): void {
  binding.setLayer(offset);
}

/** What SIO_TCP_INFO says of every connection; of no bytes: what Windows (or Wine) says. */
export function sayTcpInfo(bytes: Buffer): void {
  binding.setTcpInfo(bytes);
}

/** As if the host did not export a function; `''` for none. Seen by addons that ask from now on. */
export function hideHostFunction(name: string): void {
  binding.hide(name);
}

/** The calls since the last time, in order; as a rule they must be all. */
export function take(all = true): Call[] {
  const calls = binding.take();
  if (all) expect(calls.dropped).toBe(0);
  return calls;
}

/** Records the addons too that were loaded since the recorder was. */
export function recordNewAddons(): void {
  expect(binding.install()).toBeGreaterThan(0);
}

export function openSockets(): number {
  return binding.openSockets();
}

export function isFastPath(call: Call): boolean {
  return call.call === 'WSAIoctl' && call.code === SIO_LOOPBACK_FAST_PATH;
}

/** The ioctls of interest among some calls. */
export function fastPathCalls(calls: Call[]): Call[] {
  return calls.filter(isFastPath);
}

/**
 * What happened to one SOCKET from its making to `last`, in the words of the
 * calls that matter: `bind 0.0.0.0`, `fast path on`, `ConnectEx 127.0.0.1`.
 */
function story(calls: Call[], last: Call): string[] {
  // Windows gives the number of a closed SOCKET to the next one.
  const end = calls.indexOf(last);
  const born = calls.findLastIndex(
    (call, index) => index < end && call.socket === last.socket && call.call === 'socket',
  );
  return calls
    .slice(born + 1, end + 1)
    .filter((call) => call.socket === last.socket)
    .flatMap((call) => {
      switch (call.call) {
        case 'bind':
          return `bind ${call.address}`;
        case 'ConnectEx':
          return `ConnectEx ${call.address}`;
        case 'listen':
          return 'listen';
        case 'WSAIoctl':
          return call.code === SIO_LOOPBACK_FAST_PATH ? `fast path ${call.value === 1 ? 'on' : 'off'}` : [];
        default:
          return [];
      }
    });
}

/** The story of each SOCKET that was connected, in order of ConnectEx. */
export function connectStories(calls: Call[]): string[][] {
  return calls.filter((call) => call.call === 'ConnectEx').map((call) => story(calls, call));
}

/** The story of each SOCKET that was listened on, in order of listen. */
export function listenStories(calls: Call[]): string[][] {
  return calls.filter((call) => call.call === 'listen').map((call) => story(calls, call));
}

async function untilOpenSocketsAre(count: number): Promise<void> {
  for (let tries = 0; tries < 200 && binding.openSockets() !== count; ++tries) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/**
 * For a whole test file: the ioctl is accepted unless a test says otherwise, by the
 * recorder or by whom `accepting` says, and every test closes as many SOCKETs as were
 * made in it.
 */
export function useRecorder(accepting = 0): void {
  // What a thread does once, before the calls of a test are counted: it asks the system,
  // and looks for Node's handles.
  beforeAll(async () => {
    answer(accepting);
    const before = binding.openSockets();
    const { enableLoopbackFastPath } = await import('loopback-fast-path');
    enableLoopbackFastPath(new Socket());
    await untilOpenSocketsAre(before);
  });
  beforeEach(({ onTestFinished }) => {
    for (const call of binding.calls) answer(ASK_THE_SYSTEM, ASK_THE_SYSTEM, call);
    layerProviders(0);
    sayTcpInfo(Buffer.alloc(0));
    hideHostFunction('');
    answer(accepting);
    const before = binding.openSockets();
    take();
    // Registered first, so run last: after the test has closed its own.
    onTestFinished(async () => {
      await untilOpenSocketsAre(before);
      expect(binding.openSockets()).toBe(before);
    });
  });
}

/** Another copy of the package, which has not asked the system yet. */
export function freshPackage(): typeof import('loopback-fast-path') {
  const require = createRequire(import.meta.url);
  const core = fileURLToPath(new URL('../../dist/core.cjs', import.meta.url));
  const known = require.cache[core];
  delete require.cache[core];
  try {
    return require(core);
  } finally {
    if (known !== undefined) require.cache[core] = known;
  }
}
