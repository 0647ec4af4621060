import type { Socket } from 'node:net';
import { native } from '../native/binding.js';
import { LoopbackFastPathError } from '../native/errors.js';
import { assertSystemTakesIt } from '../native/probe.js';
import { apply, guarded, isRequired, requiredError } from './apply.js';
import { guardConnects } from './connect-gate.js';
import type { Endpoint } from './handle.js';
import { boundEndpoint, type Handle, transportHandle } from './handle.js';
import type { Settings } from './settings.js';
import { ARMED, type LoopbackFastPathStatus, NOT_TCP, SWITCHED_OFF } from './status.js';
import { isSwitchedOff } from './switch.js';
import { arm, conclude, disarm, getStatus, isApplied, isExplicit, outcomeOf, settingsOf } from './targets.js';

/**
 * Arms a socket: the ioctl is applied right before each ConnectEx from now on, those of
 * a reconnect included (B3).
 *
 * @returns Whether it is armed; not where the user has switched it off.
 * @throws {LoopbackFastPathError} `…_TOO_LATE`, what `native()` throws, and what Winsock
 * says of a system that refuses every socket.
 */
export function enableSocket(socket: Socket, settings: Settings): boolean {
  if (isSwitchedOff(settings)) {
    disarm(socket, SWITCHED_OFF);
    return false;
  }
  native();
  if (isApplied(socket)) return true;
  const progress = progressOf(socket);
  if (progress === 'begun') throw tooLate();
  assertSystemTakesIt();
  guardConnects(socket, beforeConnect);
  arm(socket, [settings], true);
  if (progress === 'begun-not-tcp') finish(socket, NOT_TCP, transportHandle(socket), [settings]);
  return true;
}

/**
 * The same for a socket whose connect() begins now. Never throws: what is in the way
 * becomes its status, and for `required` there is no attempt.
 *
 * @param explicit Whether it is meant for this socket in particular.
 * @returns Whether the connect() may go on: also where there shall be no attempt, as long
 * as the gate is there to hold it back.
 */
export function enableConnecting(socket: Socket, settings: readonly Settings[], explicit: boolean): boolean {
  if (!explicit && isExplicit(socket)) return true;
  if (settings.every(isSwitchedOff)) {
    if (explicit) disarm(socket, SWITCHED_OFF);
    return true;
  }
  const status = guarded(() => {
    native();
    assertSystemTakesIt();
    return ARMED;
  });
  const gate = guarded(() => {
    guardConnects(socket, beforeConnect);
    return ARMED;
  });
  arm(socket, settings, explicit);
  const failed = status === ARMED ? gate : status;
  return failed === ARMED || finish(socket, failed, undefined, settings) || gate === ARMED;
}

/** @throws {LoopbackFastPathError} `…_TOO_LATE` when the connection has it (B5). */
export function disableSocket(socket: Socket): void {
  if (isApplied(socket)) throw tooLate();
  if (settingsOf(socket).length > 0 || !isExplicit(socket)) disarm(socket);
}

/** Between everything that Node prepares for an attempt and the attempt itself. */
function beforeConnect(socket: Socket, handle: Handle, address: string, port: number): boolean {
  const settings = settingsOf(socket);
  if (settings.length === 0) return true;
  const status: LoopbackFastPathStatus =
    handle.getsockname === undefined ? NOT_TCP : apply(handle, { side: 'client', address, port }, settings);
  if (transportHandle(socket) !== handle) {
    abandon(socket);
    return false;
  }
  return finish(socket, status, handle, settings, { address, port });
}

/**
 * Keeps what became of an attempt. Where that is not what `required` asks for, the
 * socket is destroyed: not at once, because Node uses the handle right after.
 *
 * @returns Whether the attempt may be made.
 */
function finish(
  socket: Socket,
  status: LoopbackFastPathStatus,
  handle: Handle | undefined,
  settings: readonly Settings[],
  endpoint?: Endpoint,
): boolean {
  conclude(socket, status, handle, endpoint);
  const error = isRequired(settings) ? requiredError(status) : undefined;
  if (error === undefined) return true;
  process.nextTick(() => {
    // By now the program may have destroyed it and begun another attempt.
    if (getStatus(socket) === status) socket.destroy(error);
  });
  return false;
}

/**
 * `shouldApply` has destroyed the socket. Node goes on as if the attempt were under way
 * and, where another address is left to try, notes the handle to close it later.
 */
function abandon(socket: Socket): void {
  const internals = socket as unknown as { _handle: { close(): void } | null };
  if (internals._handle !== null) return;
  const nothing = { close() {} };
  internals._handle = nothing;
  process.nextTick(() => {
    if (internals._handle === nothing) internals._handle = null;
  });
}

/**
 * Whether the socket's first connection attempt has begun; undefined where it is ahead.
 *
 * @throws {LoopbackFastPathError} `…_HOST` where it is not one of Node's.
 */
function progressOf(socket: Socket): 'begun' | 'begun-not-tcp' | undefined {
  if (socket.destroyed) return 'begun';
  const handle = transportHandle(socket);
  if (handle === undefined) return undefined;
  if (outcomeOf(socket) !== undefined) return 'begun';
  if (socket.connecting) {
    const bound = boundEndpoint(handle);
    // connect() of a named pipe begins at once, and has no use for this anyway.
    if (bound === 'not-tcp') return 'begun-not-tcp';
    // libuv makes the SOCKET at the first attempt and not before.
    return bound && 'begun';
  }
  // A handle before connect() is one that the caller bound (net.BoundSocket).
  return socket.remoteAddress !== undefined || !('getsockname' in handle) ? 'begun' : undefined;
}

function tooLate(): LoopbackFastPathError {
  return new LoopbackFastPathError(
    'ERR_LOOPBACK_FAST_PATH_TOO_LATE',
    'The socket is connecting, connected or destroyed. The loopback fast path must be set before the first connection attempt: right after net.connect(), in the same tick.',
  );
}
