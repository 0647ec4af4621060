import { isIP, type Server } from 'node:net';
import { native } from '../native/binding.js';
import { asError, LoopbackFastPathError } from '../native/errors.js';
import { assertSystemTakesIt } from '../native/probe.js';
import { apply, guarded, isRequired, requiredError } from './apply.js';
import type { Endpoint } from './handle.js';
import { boundEndpoint, type Handle, transportHandle } from './handle.js';
import { publish } from './publish.js';
import type { Settings } from './settings.js';
import { ARMED, CLUSTER, type LoopbackFastPathStatus, NOT_TCP, SWITCHED_OFF } from './status.js';
import { isSwitchedOff } from './switch.js';
import { arm, conclude, disarm, isApplied, isExplicit, settingsOf } from './targets.js';

/** What this package knows of a server of Node. */
interface ServerInternals {
  _handle: Handle | null;
  /** Creates and binds the handle unless there is one, then listens. */
  _listen2(address: string | null, port: number | null, ...rest: unknown[]): void;
}

interface Hook {
  /** What `enable` put on the server. */
  readonly wrapper: ServerInternals['_listen2'];
  /** What it found there, as a rule nothing: the method is the prototype's. */
  readonly found: PropertyDescriptor | undefined;
  warned: boolean;
}

const hooks = new WeakMap<Server, Hook>();

/**
 * Arms a server. Between bind and listen of one SOCKET there is no event, but
 * both happen inside `_listen2`, which Node keeps under that name for code that
 * wraps it. The wrapper stays, so that a second `listen()` is covered; while it
 * runs, and only then, an accessor on `_handle` sees the bound handle.
 *
 * @returns Whether it is armed; not where the user has switched it off.
 * @throws {LoopbackFastPathError} `…_TOO_LATE`, what `native()` throws, and what Winsock
 * says of a system that refuses every socket.
 */
export function enableServer(server: Server, settings: Settings): boolean {
  if (isSwitchedOff(settings)) {
    disarm(server, SWITCHED_OFF);
    return false;
  }
  native();
  if (isApplied(server)) return true;
  if (transportHandle(server) !== undefined) throw tooLate();
  assertSystemTakesIt();
  hook(server);
  arm(server, [settings], true);
  return true;
}

/**
 * The same for a server whose listen() begins now. Never throws: what is in the way
 * becomes its status, and for `required` it does not listen.
 *
 * @returns Whether the listen() may go on: also where it shall not listen, as long as
 * the hook is there to hold it back.
 */
export function enableListening(server: Server, settings: readonly Settings[]): boolean {
  if (isExplicit(server) || settings.every(isSwitchedOff)) return true;
  const status = guarded(() => {
    native();
    assertSystemTakesIt();
    return ARMED;
  });
  const hooked = guarded(() => {
    hook(server);
    return ARMED;
  });
  arm(server, settings, false);
  const failed = status === ARMED ? hooked : status;
  if (failed === ARMED) return true;
  conclude(server, failed, undefined);
  const error = isRequired(settings) ? requiredError(failed) : undefined;
  if (error === undefined || hooked === ARMED) return true;
  process.nextTick(() => server.emit('error', error));
  return false;
}

/** Applies it to a handle that is bound and that no server of this process will listen on. */
export function applyToSharedHandle(handle: Handle, settings: readonly Settings[]): void {
  if (settings.length === 0) return;
  const bound = boundEndpointOrStatus(handle);
  if (bound === undefined) return;
  const status = 'state' in bound ? bound : apply(handle, { side: 'server', ...bound }, settings);
  publish(handle, status, 'state' in bound ? undefined : bound);
}

/** @throws {LoopbackFastPathError} `…_TOO_LATE` while it listens with it (B4). */
export function disableServer(server: Server): void {
  if (isApplied(server)) throw tooLate();
  if (settingsOf(server).length > 0 || !isExplicit(server)) disarm(server);
  const known = hooks.get(server);
  if (known === undefined) return;
  hooks.delete(server);
  // If somebody wrapped the wrapper it stays and passes every call on.
  if ((server as unknown as ServerInternals)._listen2 === known.wrapper) {
    if (known.found !== undefined) Object.defineProperty(server, '_listen2', known.found);
    else Reflect.deleteProperty(server, '_listen2');
  }
}

/** @throws {LoopbackFastPathError} `…_HOST` where nothing can be put on the server. */
function hook(server: Server): void {
  if (hooks.has(server)) return;
  try {
    const internals = server as unknown as ServerInternals;
    const found = Object.getOwnPropertyDescriptor(server, '_listen2');
    const original = internals._listen2;
    if (typeof original !== 'function') throw new TypeError('the server has no _listen2()');
    const known: Hook = {
      wrapper(this: ServerInternals, address, port, ...rest) {
        listen(server, known, address, port, () => Reflect.apply(original, this, [address, port, ...rest]));
      },
      found,
      warned: false,
    };
    Object.defineProperty(server, '_listen2', {
      value: known.wrapper,
      configurable: true,
      enumerable: false,
      writable: true,
    });
    hooks.set(server, known);
  } catch (cause) {
    throw asError(cause);
  }
}

/** Runs Node's `_listen2` with the ioctl between its bind and its listen. */
function listen(server: Server, known: Hook, address: string | null, port: number | null, original: () => void): void {
  const settings = settingsOf(server);
  if (settings.length === 0) {
    original();
    return;
  }
  const internals = server as unknown as ServerInternals;
  let error: LoopbackFastPathError | undefined;
  const beforeListen = (handle: Handle): boolean => {
    const asked = address !== null && port !== null && isIP(address) !== 0 ? { address, port } : undefined;
    const bound = boundEndpointOrStatus(handle) ?? asked;
    // libuv reports a bind that failed only at listen, and then nobody knows the address.
    if (bound === undefined) return true;
    const status = 'state' in bound ? bound : apply(handle, { side: 'server', ...bound }, settings);
    conclude(server, status, handle, 'state' in bound ? undefined : bound);
    if (isRequired(settings)) error = requiredError(status);
    else if (isExplicit(server)) warnOfIPv6(known, status);
    // shouldApply may have closed the server.
    return error === undefined && internals._handle === handle;
  };

  if (internals._handle) {
    if (!isExplicit(server) && port !== null && port >= 0) {
      // Node tells a port, and has a handle: it is the one that a cluster's
      // primary shares, which listens already.
      conclude(server, CLUSTER, internals._handle);
      if (isRequired(settings)) error = requiredError(CLUSTER);
      else original();
    } else if (beforeListen(internals._handle)) original();
  } else if (!onceHandleIsSet(internals, beforeListen, original)) {
    const failed = guarded(() => {
      throw asError(new TypeError('the server was sealed, so nobody sees its handle before it listens'));
    });
    conclude(server, failed, undefined);
    if (isRequired(settings)) error = requiredError(failed);
    else {
      original();
      return;
    }
  }

  if (error !== undefined) {
    const reason = error;
    // What Node does where listen() itself fails.
    internals._handle?.close();
    internals._handle = null;
    process.nextTick(() => server.emit('error', reason));
  } else if (!internals._handle) {
    // listen() itself failed, and Node emits the error; or shouldApply closed the server.
    arm(server, settings, isExplicit(server));
  }
}

/** Where a handle is bound, or what there is to say without an address. */
function boundEndpointOrStatus(handle: Handle): Endpoint | LoopbackFastPathStatus | undefined {
  try {
    // Round robin: Node gives the worker an object that only imitates a handle.
    if (typeof handle.hasRef !== 'function') return CLUSTER;
    const bound = boundEndpoint(handle);
    return bound === 'not-tcp' ? NOT_TCP : bound;
  } catch (cause) {
    return { state: 'failed', error: asError(cause) };
  }
}

class Aborted extends Error {}

/**
 * Calls `action` with the value that `run` assigns to `internals._handle`, right
 * after the assignment. Where it returns false, the rest of `run` is abandoned.
 *
 * @returns Whether that could be done; otherwise nothing was.
 */
function onceHandleIsSet(internals: ServerInternals, action: (handle: Handle) => boolean, run: () => void): boolean {
  const found = Object.getOwnPropertyDescriptor(internals, '_handle');
  if (found?.configurable !== true) return false;
  const restore = () => Object.defineProperty(internals, '_handle', found);
  // What else it is, configurable and enumerable, it stays.
  Object.defineProperty(internals, '_handle', {
    get: () => null,
    set(handle: Handle | null) {
      restore();
      internals._handle = handle;
      if (handle && !action(handle)) throw new Aborted();
    },
  });
  try {
    run();
  } catch (error) {
    if (!(error instanceof Aborted)) throw error;
  } finally {
    if (Object.getOwnPropertyDescriptor(internals, '_handle')?.get !== undefined) restore();
  }
  return true;
}

/** Once for a server: its user asked for the fast path and, by default, gets `::`. */
function warnOfIPv6(known: Hook, status: LoopbackFastPathStatus): void {
  if (status.state !== 'skipped' || (status.reason !== 'ipv6' && status.reason !== 'dual-stack')) return;
  if (known.warned) return;
  known.warned = true;
  process.emitWarning(
    "The loopback fast path was enabled for a server that listens on IPv6, where it stays off. Use listen(port, '127.0.0.1').",
    'LoopbackFastPathWarning',
  );
}

function tooLate(): LoopbackFastPathError {
  return new LoopbackFastPathError(
    'ERR_LOOPBACK_FAST_PATH_TOO_LATE',
    'The server listens already. The loopback fast path must be set before listen().',
  );
}
