import type { Socket } from 'node:net';
import { native } from '../native/binding.js';
import { LoopbackFastPathError } from '../native/errors.js';
import { apply, asError, boundEndpoint, guarded, isApplied, requiredError, transportHandle } from './apply.js';
import type { Endpoint } from './policy.js';
import type { Settings } from './settings.js';
import { ARMED, getStatus, isDecided, type LoopbackFastPathStatus, OFF, SWITCHED_OFF, setStatus } from './status.js';
import { isSwitchedOff } from './switch.js';

const armed = new WeakMap<Socket, Settings>();

/**
 * Arms a socket: `'connectionAttempt'` is emitted right before each ConnectEx,
 * with that attempt's handle installed, on every way a socket connects (B3).
 * The listener stays, so that a reconnect of the same socket is covered.
 *
 * @returns Whether it is armed; not where the user has switched it off.
 * @throws {LoopbackFastPathError} `…_TOO_LATE`, or what `native()` throws.
 */
export function enableSocket(socket: Socket, settings: Settings): boolean {
  if (isSwitchedOff(settings)) {
    setStatus(socket, SWITCHED_OFF);
    return false;
  }
  native();
  if (isApplied(socket)) return true;
  const progress = progressOf(socket);
  if (progress === 'begun') throw tooLate();
  if (!armed.has(socket)) socket.prependListener('connectionAttempt', onConnectionAttempt);
  armed.set(socket, settings);
  setStatus(socket, ARMED);
  if (progress === 'begun-not-tcp') settle(socket, { state: 'skipped', reason: 'not-tcp' }, settings);
  else if (socket.connecting) process.nextTick(noticeMissed, socket);
  return true;
}

/**
 * The same for a socket that Node is about to connect, and that nobody has
 * decided about: what is in the way becomes its status.
 */
export function enableConnecting(socket: Socket, settings: Settings): void {
  if (settings.everySocket && isDecided(socket)) return;
  try {
    enableSocket(socket, settings);
  } catch (cause) {
    settle(socket, { state: 'failed', error: asError(cause) }, settings);
  }
}

/** @throws {LoopbackFastPathError} `…_TOO_LATE` when the connection has it (B5). */
export function disableSocket(socket: Socket): void {
  if (isApplied(socket)) throw tooLate();
  if (armed.delete(socket)) socket.removeListener('connectionAttempt', onConnectionAttempt);
  else if (isDecided(socket)) return;
  setStatus(socket, OFF);
}

function onConnectionAttempt(this: Socket, address: string, port: number): void {
  const settings = armed.get(this);
  if (settings === undefined) return;
  const endpoint = { side: 'client', address, port } as const;
  settle(
    this,
    guarded(() => apply(transportHandle(this), endpoint, settings)),
    settings,
    { address, port },
  );
}

function settle(socket: Socket, status: LoopbackFastPathStatus, settings: Settings, endpoint?: Endpoint): void {
  setStatus(socket, status, endpoint);
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
  const status = guarded(() => {
    if (progressOf(socket) === 'begun') throw tooLate();
    return ARMED;
  });
  if (status !== ARMED) settle(socket, status, settings);
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
    const bound = boundEndpoint(handle);
    // connect() of a named pipe begins at once, and has no use for this anyway.
    if (bound === 'not-tcp') return 'begun-not-tcp';
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
