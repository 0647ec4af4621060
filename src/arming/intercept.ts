// How to see, before it happens, that Node connects or listens: its diagnostics
// channels, and a wrapped function where there is none. The preload module carries
// this and nothing else of the package.

import * as diagnosticsChannel from 'node:diagnostics_channel';
import type { Server, Socket } from 'node:net';

/** Takes something back. */
export type Stop = () => void;

/** What to call, each before Node goes on. */
export interface Interception {
  /** A client socket, at the start of its connect(). */
  connecting(socket: Socket): void;
  /** A server, at the start of its listen(). */
  listening(server: Server): void;
  /**
   * A bound handle that a cluster's primary is about to share with its workers
   * (SCHED_NONE, the default on Windows): no server exists there, and handing the
   * handle over makes it listen.
   */
  sharing(handle: object): void;
}

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);

/** Since these versions every connect() is published; before, only net.connect() was. */
const publishesConnect = major > 24 || (major === 24 && minor >= 2) || (major === 22 && minor >= 17);

// Not an import: the wrapper must be seen by everybody who calls through the module.
const net: typeof import('node:net') = require('node:net');

/** Intercepts every connect() and listen() of this thread. */
export function interceptEverything({ connecting, listening, sharing }: Interception): Stop {
  const stops = [
    interceptConnect(connecting),
    subscribe('tracing:net.server.listen:asyncStart', (message) => listening((message as { server: Server }).server)),
    wrap(net, '_createServerHandle', (original, self, args) => {
      const result: unknown = Reflect.apply(original, self, args);
      // A number is an error of libuv.
      if (typeof result === 'object' && result !== null) sharing(result);
      return result;
    }),
  ];
  return () => {
    for (const stop of stops) stop();
  };
}

/** Intercepts every connect() of this thread. */
export function interceptConnect(connecting: Interception['connecting']): Stop {
  if (publishesConnect) {
    return subscribe('net.client.socket', (message) => connecting((message as { socket: Socket }).socket));
  }
  return wrap(net.Socket.prototype, 'connect', (original, socket, args) => {
    connecting(socket as Socket);
    return Reflect.apply(original, socket, args);
  });
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
