// How to see, before it happens, that Node connects or listens: its diagnostics
// channels, and a wrapped function where there is none. The preload module carries
// this and nothing else of the package.

import diagnosticsChannel from 'node:diagnostics_channel';
import net from 'node:net';

/** Takes something back. */
export type Stop = () => void;

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);

/** Since these versions every connect() is published; before, only net.connect() was. */
const publishesConnect = major > 24 || (major === 24 && minor >= 2) || (major === 22 && minor >= 17);

/** Calls back with each client socket of the thread at the start of its connect(). */
export function interceptConnect(onConnect: (socket: net.Socket) => void): Stop {
  if (publishesConnect) {
    return subscribe('net.client.socket', (message) => onConnect((message as { socket: net.Socket }).socket));
  }
  return wrap(net.Socket.prototype, 'connect', (original, socket, args) => {
    onConnect(socket as net.Socket);
    return Reflect.apply(original, socket, args);
  });
}

/** Calls back with each server of the thread at the start of its listen(). */
function interceptListen(onListen: (server: net.Server) => void): Stop {
  return subscribe('tracing:net.server.listen:asyncStart', (message) =>
    onListen((message as { server: net.Server }).server),
  );
}

/**
 * Calls back with each bound handle that a cluster's primary is about to share
 * with its workers (SCHED_NONE, the default on Windows): no server exists there,
 * and handing the handle over makes it listen.
 */
function interceptSharedHandles(onBound: (handle: object) => void): Stop {
  return wrap(net, '_createServerHandle', (original, self, args) => {
    const result: unknown = Reflect.apply(original, self, args);
    // A number is an error of libuv.
    if (typeof result === 'object' && result !== null) onBound(result);
    return result;
  });
}

/** What to do with each of them; a function that returns false has the interception stopped. */
export interface Treatment {
  client(socket: net.Socket): boolean;
  server(server: net.Server): boolean;
  sharedHandle(handle: object): boolean;
}

/** Intercepts all of it in this thread. `load` is called when there is something to treat. */
export function interceptEverySocket(load: () => Treatment): Stop {
  let treatment: Treatment | undefined;
  const stops: Stop[] = [];
  const stop = () => {
    for (const each of stops.splice(0)) each();
  };
  const call =
    <Subject>(treat: (treatment: Treatment, subject: Subject) => boolean) =>
    (subject: Subject) => {
      try {
        treatment ??= load();
        if (!treat(treatment, subject)) stop();
      } catch {
        // The rest of the package cannot be loaded: the program goes on without it.
        stop();
      }
    };
  stops.push(
    interceptConnect(call((treatment, socket) => treatment.client(socket))),
    interceptListen(call((treatment, server) => treatment.server(server))),
    interceptSharedHandles(call((treatment, handle) => treatment.sharedHandle(handle))),
  );
  return stop;
}

function subscribe(channel: string, listener: (message: unknown) => void): Stop {
  diagnosticsChannel.subscribe(channel, listener);
  return () => void diagnosticsChannel.unsubscribe(channel, listener);
}

type Callable = (...args: unknown[]) => unknown;

function wrap(
  object: object,
  name: string,
  around: (original: Callable, self: unknown, args: unknown[]) => unknown,
): Stop {
  const found = Object.getOwnPropertyDescriptor(object, name);
  const original: unknown = found?.value;
  if (found === undefined || typeof original !== 'function') return () => {};
  let active = true;
  const wrapper = {
    [name](this: unknown, ...args: unknown[]): unknown {
      return active ? around(original as Callable, this, args) : Reflect.apply(original, this, args);
    },
  }[name];
  Object.defineProperty(object, name, { ...found, value: wrapper });
  return () => {
    active = false;
    // Somebody may have wrapped the wrapper; then it stays, and passes calls on.
    if (Object.getOwnPropertyDescriptor(object, name)?.value === wrapper) Object.defineProperty(object, name, found);
  };
}
