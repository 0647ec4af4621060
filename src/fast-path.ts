import { disableSocket, enableSocket } from './arming/client.js';
import type { LoopbackFastPathTarget } from './arming/handle.js';
import { disableServer, enableServer } from './arming/server.js';
import { checkOptions, checkTarget, isServer, type LoopbackFastPathOptions } from './arming/settings.js';
import type { LoopbackFastPathStatus } from './arming/status.js';
import { conclude, currentHandle, getStatus, outcomeOf } from './arming/targets.js';
import { LoopbackFastPathError } from './native/errors.js';

/**
 * Turns the loopback fast path on for a socket that will connect, or a server
 * that will listen. The ioctl is applied to the SOCKET underneath right before
 * each connection attempt, or between bind and listen, and only if the address is
 * a loopback one. Enabling twice does no harm; until the attempt the later options
 * count.
 *
 * `getLoopbackFastPathStatus()` returns the outcome. Unless `required` is set, a
 * failure leaves the traffic on the ordinary path and is no error, and
 * `LOOPBACK_FAST_PATH=0` in the environment turns this call off.
 *
 * @param target A `net.Socket` before its first connection attempt (right after
 * `net.connect()`, in the same tick, is in time) or a `net.Server` before
 * `listen()`, or what derives from them: `tls.TLSSocket`, `http.Server`, ….
 * @throws {TypeError} `ERR_INVALID_ARG_TYPE` for a wrong argument.
 * @throws {LoopbackFastPathError} `ERR_LOOPBACK_FAST_PATH_PLATFORM`, `…_BINARY`,
 * `…_HOST` or `…_TOO_LATE`.
 */
export function enableLoopbackFastPath(target: LoopbackFastPathTarget, options?: LoopbackFastPathOptions): void {
  enable(target, options);
}

function enable(target: LoopbackFastPathTarget, options: LoopbackFastPathOptions | undefined): boolean {
  const subject = checkTarget(target);
  const settings = checkOptions(options);
  return isServer(subject) ? enableServer(subject, settings) : enableSocket(subject, settings);
}

/**
 * The same for programs that run everywhere: where `enableLoopbackFastPath()`
 * would throw a `LoopbackFastPathError`, this returns false, and the status is
 * `failed` with that error.
 *
 * @returns Whether the target is armed; false too where the user has switched it
 * off with `LOOPBACK_FAST_PATH=0`.
 * @throws {TypeError} `ERR_INVALID_ARG_TYPE` for a wrong argument.
 */
export function tryEnableLoopbackFastPath(target: LoopbackFastPathTarget, options?: LoopbackFastPathOptions): boolean {
  try {
    return enable(target, options);
  } catch (error) {
    if (!(error instanceof LoopbackFastPathError)) throw error;
    const subject = checkTarget(target);
    // Asking again hides nothing: what became of the SOCKET is what counts.
    if (outcomeOf(subject) === undefined) conclude(subject, { state: 'failed', error }, currentHandle(subject));
    return false;
  }
}

/**
 * Undoes `enableLoopbackFastPath()` as long as the ioctl has not been applied, and
 * leaves the target as it was found. Does nothing if nothing was enabled.
 *
 * @throws {TypeError} `ERR_INVALID_ARG_TYPE` for a wrong argument.
 * @throws {LoopbackFastPathError} `ERR_LOOPBACK_FAST_PATH_TOO_LATE` once it has
 * been applied: a connection made on the fast path stays on it.
 */
export function disableLoopbackFastPath(target: LoopbackFastPathTarget): void {
  const subject = checkTarget(target);
  if (isServer(subject)) disableServer(subject);
  else disableSocket(subject);
}

/**
 * The status of a socket or server; for a `tls.TLSSocket` over another socket, that
 * of the other socket.
 *
 * @throws {TypeError} `ERR_INVALID_ARG_TYPE` for a wrong argument.
 */
export function getLoopbackFastPathStatus(target: LoopbackFastPathTarget): LoopbackFastPathStatus {
  return getStatus(checkTarget(target));
}
