// What holds for a connect() or listen() that no function was called for in particular:
// that of a factory that is running, else of the asynchronous context, else of the
// registrations in the order in which they were made.

import { AsyncLocalStorage } from 'node:async_hooks';
import type { Server, Socket } from 'node:net';
import { isFinal, probeLoopbackFastPath } from '../native/probe.js';
import { enableConnecting } from './client.js';
import { isBindingTemporarily } from './connect-gate.js';
import type { Handle } from './handle.js';
import { type Interception, interceptConnect, interceptEverything, type Stop } from './intercept.js';
import { applyToSharedHandle, enableListening } from './server.js';
import type { Settings } from './settings.js';
import { isTraced } from './switch.js';

let registrations: readonly Settings[] = [];
let contexts: AsyncLocalStorage<readonly Settings[]> | undefined;
let stop: Stop | undefined;

/** Applies these settings, too, to every socket without settings of its own or of a context. */
export function addRegistration(settings: Settings, { first = false }: { first?: boolean } = {}): Stop {
  registrations = first ? [settings, ...registrations] : [...registrations, settings];
  update();
  return () => {
    registrations = registrations.filter((each) => each !== settings);
    update();
  };
}

/** Runs `fn` so that what connects or listens in its asynchronous context asks `settings` alone. */
export function runInContext<R>(settings: readonly Settings[], fn: () => R): R {
  contexts ??= new AsyncLocalStorage();
  update();
  return contexts.run(settings, fn);
}

/**
 * Runs `create` and arms the socket that it connects, at the start of the connect():
 * before even a lookup that answers at once, and also where the socket is not what
 * `create` returns, such as one to a proxy.
 */
export function connectArmed<T>(settings: Settings, create: () => T): T {
  const stop = interceptConnect((socket) => {
    // One socket: what it calls from inside connect() is not meant.
    stop();
    return enableConnecting(socket, [settings], true);
  });
  try {
    return create();
  } finally {
    stop();
  }
}

/** Of this thread; for the preload module too, which sees the first socket. */
export const everything: Interception = {
  connecting: (socket: Socket) => enableConnecting(socket, wanted(), false),
  listening: (server: Server) => enableListening(server, wanted()),
  sharing: (handle: object) => {
    if (!isBindingTemporarily()) applyToSharedHandle(handle as Handle, wanted());
  },
};

/** What to ask of a socket or server that nothing else is said about; as a rule nothing. */
function wanted(): readonly Settings[] {
  const context = contexts?.getStore();
  if (context !== undefined) return context;
  return registrations.length > 0 && isPossible() ? registrations : [];
}

/** Intercepts as long as somebody wants it; a context can come back at any time. */
function update(): void {
  const wanted = registrations.length > 0 || contexts !== undefined;
  if (wanted) stop ??= interceptEverything(everything);
  else {
    stop?.();
    stop = undefined;
  }
}

/** Whether a registration has anything to do: not once the system has refused for good. */
function isPossible(): boolean {
  // Who asked for a trace wants to read the reason for every socket.
  if (isTraced) return true;
  const probe = probeLoopbackFastPath();
  if (probe.supported || !isFinal(probe.error)) return true;
  registrations = [];
  update();
  return false;
}
