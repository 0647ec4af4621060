import type { Socket } from 'node:net';
import { apply, asError, boundAddress, isApplied, requiredError, transportHandle } from './apply.js';
import type { Settings } from './arguments.js';
import { LoopbackFastPathError } from './errors.js';
import { native } from './native.js';
import { ARMED, getStatus, type LoopbackFastPathStatus, OFF, setStatus } from './status.js';

const armed = new WeakMap<Socket, Settings>();

/**
 * Arms a socket: `'connectionAttempt'` is emitted right before each ConnectEx,
 * with that attempt's handle installed, on every way a socket connects (B3).
 * The listener stays, so that a reconnect of the same socket is covered.
 *
 * @throws {LoopbackFastPathError} `…_TOO_LATE`, or what `native()` throws.
 */
export function enableSocket(socket: Socket, settings: Settings): void {
  native();
  if (isApplied(socket)) return;
  const progress = progressOf(socket);
  if (progress === 'begun') throw tooLate();
  if (!armed.has(socket)) socket.prependListener('connectionAttempt', onConnectionAttempt);
  armed.set(socket, settings);
  setStatus(socket, ARMED);
  if (progress === 'begun-not-tcp') settle(socket, { state: 'skipped', reason: 'not-tcp' }, settings);
  else if (socket.connecting) process.nextTick(noticeMissed, socket);
}

/** @throws {LoopbackFastPathError} `…_TOO_LATE` when the connection has it (B5). */
export function disableSocket(socket: Socket): void {
  if (isApplied(socket)) throw tooLate();
  if (!armed.delete(socket)) return;
  socket.removeListener('connectionAttempt', onConnectionAttempt);
  setStatus(socket, OFF);
}

function onConnectionAttempt(this: Socket, address: string): void {
  const settings = armed.get(this);
  if (settings === undefined) return;
  settle(this, apply(this, address, settings), settings);
}

function settle(socket: Socket, status: LoopbackFastPathStatus, settings: Settings): void {
  setStatus(socket, status);
  const error = settings.required ? requiredError(status) : undefined;
  if (error === undefined) return;
  // Not at once: Node uses the handle right after the event.
  process.nextTick(() => {
    if (getStatus(socket) === status) socket.destroy(error);
  });
}

/**
 * Inside a `'connectionAttempt'` listener nothing shows yet that the attempt
 * has begun, and a listener added there is not called any more. One tick later
 * it shows.
 */
function noticeMissed(socket: Socket): void {
  const settings = armed.get(socket);
  if (settings === undefined || getStatus(socket) !== ARMED) return;
  try {
    if (progressOf(socket) === 'begun') throw tooLate();
  } catch (cause) {
    settle(socket, { state: 'failed', error: asError(cause) }, settings);
  }
}

/**
 * Whether the socket's first connection attempt has begun.
 *
 * @throws {LoopbackFastPathError} `…_HOST` where it is not one of Node's.
 */
function progressOf(socket: Socket): 'ahead' | 'begun' | 'begun-not-tcp' {
  if (socket.destroyed) return 'begun';
  const handle = transportHandle(socket);
  if (handle === undefined) return 'ahead';
  if (socket.connecting) {
    const bound = boundAddress(handle);
    // connect() of a named pipe begins at once, and has no use for this anyway.
    if (bound === '') return 'begun-not-tcp';
    // libuv makes the SOCKET at the first attempt and not before.
    return bound === undefined ? 'ahead' : 'begun';
  }
  // A handle before connect() is one that the caller bound (net.BoundSocket).
  return socket.remoteAddress !== undefined || !('getsockname' in handle) ? 'begun' : 'ahead';
}

function tooLate(): LoopbackFastPathError {
  return new LoopbackFastPathError(
    'ERR_LOOPBACK_FAST_PATH_TOO_LATE',
    'The socket is connecting, connected or destroyed. The loopback fast path must be set before the first connection attempt: right after net.connect(), in the same tick.',
  );
}
