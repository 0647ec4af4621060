import { isIP, type Server } from 'node:net';
import { native } from '../native/binding.js';
import { LoopbackFastPathError } from '../native/errors.js';
import {
  apply,
  asError,
  boundEndpoint,
  guarded,
  type Handle,
  isApplied,
  requiredError,
  transportHandle,
} from './apply.js';
import type { Endpoint } from './policy.js';
import type { Settings } from './settings.js';
import { ARMED, isDecided, type LoopbackFastPathStatus, OFF, SWITCHED_OFF, setStatus } from './status.js';
import { isSwitchedOff } from './switch.js';

/** What this package knows of a server of Node. */
interface ServerInternals {
  _handle: Handle | null;
  /** Creates and binds the handle unless there is one, then listens. */
  _listen2(address: string | null, port: number | null, ...rest: unknown[]): void;
}

interface Armed {
  settings: Settings;
  /** What `enable` put on the server. */
  readonly wrapper: ServerInternals['_listen2'];
  /** What it found there, as a rule nothing: the method is the prototype's. */
  readonly found: PropertyDescriptor | undefined;
  warned: boolean;
}

const armed = new WeakMap<Server, Armed>();

/**
 * Arms a server. Between bind and listen of one SOCKET there is no event, but
 * both happen inside `_listen2`, which Node keeps under that name for code that
 * wraps it. The wrapper stays, so that a second `listen()` is covered; while it
 * runs, and only then, an accessor on `_handle` sees the bound handle.
 *
 * @returns Whether it is armed; not where the user has switched it off.
 * @throws {LoopbackFastPathError} `…_TOO_LATE`, or what `native()` throws.
 */
export function enableServer(server: Server, settings: Settings): boolean {
  if (isSwitchedOff(settings)) {
    setStatus(server, SWITCHED_OFF);
    return false;
  }
  native();
  if (isApplied(server)) return true;
  if (transportHandle(server) !== undefined) throw tooLate();
  const known = armed.get(server);
  if (known !== undefined) {
    known.settings = settings;
  } else {
    const internals = server as unknown as ServerInternals;
    const found = Object.getOwnPropertyDescriptor(server, '_listen2');
    const original = internals._listen2;
    const wrapper: ServerInternals['_listen2'] = function (this: ServerInternals, address, port, ...rest) {
      listen(server, address, port, () => Reflect.apply(original, this, [address, port, ...rest]));
    };
    Object.defineProperty(server, '_listen2', {
      value: wrapper,
      configurable: true,
      enumerable: false,
      writable: true,
    });
    armed.set(server, { settings, wrapper, found, warned: false });
  }
  setStatus(server, ARMED);
  return true;
}

/**
 * The same for a server that is about to listen, and that nobody has decided
 * about: what is in the way becomes its status.
 */
export function enableListening(server: Server, settings: Settings): void {
  if (isDecided(server)) return;
  try {
    enableServer(server, settings);
  } catch (cause) {
    setStatus(server, { state: 'failed', error: asError(cause) });
  }
}

/** Treats a handle that is bound and that no server of this process will listen on. */
export function applyToSharedHandle(handle: Handle, settings: Settings): void {
  settle(handle, handle, settings);
}

/** @throws {LoopbackFastPathError} `…_TOO_LATE` while it listens with it (B4). */
export function disableServer(server: Server): void {
  if (isApplied(server)) throw tooLate();
  const known = armed.get(server);
  if (known === undefined) {
    if (!isDecided(server)) setStatus(server, OFF);
    return;
  }
  armed.delete(server);
  // If somebody wrapped the wrapper it stays and passes every call on.
  if ((server as unknown as ServerInternals)._listen2 === known.wrapper) {
    if (known.found !== undefined) Object.defineProperty(server, '_listen2', known.found);
    else Reflect.deleteProperty(server, '_listen2');
  }
  setStatus(server, OFF);
}

/** Runs Node's `_listen2` with the ioctl between its bind and its listen. */
function listen(server: Server, address: string | null, port: number | null, original: () => void): void {
  const known = armed.get(server);
  if (known === undefined) {
    original();
    return;
  }
  const internals = server as unknown as ServerInternals;
  let error: LoopbackFastPathError | undefined;
  const beforeListen = (handle: Handle): boolean => {
    const asked = address !== null && port !== null && isIP(address) !== 0 ? { address, port } : undefined;
    const status = settle(server, handle, known.settings, asked);
    if (status === undefined) return true;
    if (known.settings.required) error = requiredError(status);
    else if (!known.settings.everySocket) warnOfIPv6(known, status);
    return error === undefined;
  };

  if (internals._handle) {
    if (known.settings.everySocket && port !== null && port >= 0) {
      // Node tells a port, and has a handle: it is the one that a cluster's
      // primary shares, which listens already.
      setStatus(server, { state: 'skipped', reason: 'cluster' });
      original();
    } else if (beforeListen(internals._handle)) original();
  } else {
    onceHandleIsSet(internals, beforeListen, original);
  }

  if (error !== undefined) {
    // What Node does where listen() itself fails.
    internals._handle?.close();
    internals._handle = null;
    process.nextTick(() => server.emit('error', error));
  } else if (!internals._handle) {
    // listen() itself failed; Node emits the error.
    setStatus(server, ARMED);
  }
}

/**
 * Treats a bound handle and keeps what became of it as the status of `target`.
 * undefined where nobody knows the address: libuv reports a bind that failed
 * only at listen.
 *
 * @param asked Where it was to be bound, if that was said.
 */
function settle(
  target: object,
  handle: Handle,
  settings: Settings,
  asked?: Endpoint,
): LoopbackFastPathStatus | undefined {
  let endpoint: Endpoint | undefined;
  const status = guarded(() => {
    // Round robin: Node gives the worker an object that only imitates a handle.
    if (typeof handle.hasRef !== 'function') return { state: 'skipped', reason: 'cluster' };
    const bound = boundEndpoint(handle) ?? asked;
    if (bound === undefined) return ARMED;
    if (bound === 'not-tcp') return { state: 'skipped', reason: 'not-tcp' };
    endpoint = bound;
    return apply(handle, { side: 'server', ...bound }, settings);
  });
  if (status === ARMED) return undefined;
  setStatus(target, status, endpoint);
  return status;
}

class Aborted extends Error {}

/**
 * Calls `action` with the value that `run` assigns to `internals._handle`, right
 * after the assignment. Where it returns false, the rest of `run` is abandoned.
 */
function onceHandleIsSet(internals: ServerInternals, action: (handle: Handle) => boolean, run: () => void): void {
  const found = Object.getOwnPropertyDescriptor(internals, '_handle');
  if (found?.configurable !== true) {
    run();
    return;
  }
  const restore = () => Object.defineProperty(internals, '_handle', found);
  Object.defineProperty(internals, '_handle', {
    configurable: true,
    enumerable: found.enumerable ?? true,
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
}

/** Said once for a server: its user asked for the fast path and, by default, gets `::`. */
function warnOfIPv6(known: Armed, status: LoopbackFastPathStatus): void {
  if (status.state !== 'skipped' || (status.reason !== 'ipv6' && status.reason !== 'dual-stack')) return;
  if (known.warned) return;
  known.warned = true;
  process.emitWarning(
    "A server that the loopback fast path was enabled for listens on IPv6, where it stays off. Use listen(port, '127.0.0.1').",
    'LoopbackFastPathWarning',
  );
}

function tooLate(): LoopbackFastPathError {
  return new LoopbackFastPathError(
    'ERR_LOOPBACK_FAST_PATH_TOO_LATE',
    'The server listens already. The loopback fast path must be set before listen().',
  );
}
