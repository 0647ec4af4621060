// How to see, before it happens, that Node connects or listens: its diagnostics
// channels, and a wrapped function where there is none. The preload module carries
// this and nothing else of the package.

import * as diagnosticsChannel from 'node:diagnostics_channel';
import type { Server, Socket } from 'node:net';

/** Takes something back. */
export type Stop = () => void;

/** What to call, each before Node goes on. */
export interface Interception {
  /**
   * A client socket, at the start of its connect().
   *
   * @returns Whether it may go on. Node's channels wait for no answer: there it is held
   * back later, at its handle.
   */
  connecting(socket: Socket): boolean;
  /** The same of a server, at the start of its listen(). */
  listening(server: Server): boolean;
  /**
   * A bound handle that a cluster's primary is about to share with its workers
   * (SCHED_NONE, the default on Windows): no server exists there, and handing the
   * handle over makes it listen.
   */
  sharing(handle: object): void;
}

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);

/**
 * Not an import: the wrapper must be seen by everybody who calls through the module. Not at
 * once: off Windows, the preload module has no use for it.
 */
const loadNet = (): typeof import('node:net') => require('node:net');

/** Bun says that it is a Node, and has its channels, and publishes nothing. */
const isNode = (): boolean => '_createServerHandle' in loadNet();

/** Since these versions every connect() is published; before, only net.connect() was. */
const publishesConnect = (): boolean =>
  isNode() && (major > 24 || (major === 24 && minor >= 2) || (major === 22 && minor >= 17));

/** Intercepts every connect() and listen() of this thread. */
export function interceptEverything({ connecting, listening, sharing }: Interception): Stop {
  const stops = [
    interceptConnect(connecting),
    ...interceptListen(listening),
    wrap(loadNet(), '_createServerHandle', (original, self, args) => {
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
  if (publishesConnect()) {
    return subscribe('net.client.socket', (message) => void connecting((message as { socket: Socket }).socket));
  }
  const node = isNode();
  return wrap(loadNet().Socket.prototype, 'connect', (original, socket, args) => {
    const goesOn = connecting(socket as Socket);
    return goesOn || node ? Reflect.apply(original, socket, args) : socket;
  });
}

function interceptListen(listening: Interception['listening']): Stop[] {
  if (isNode()) {
    const published = (message: unknown) => {
      const { server } = message as { server: Server };
      // Node goes on whatever is answered. Until the event, nothing is accepted.
      if (!listening(server)) server.once('listening', () => void server.close());
    };
    return [subscribe('tracing:net.server.listen:asyncStart', published)];
  }
  // There, a server of http is not one of net.
  const { Server }: typeof import('node:http') = require('node:http');
  return [loadNet().Server.prototype, Server.prototype].map((prototype) =>
    wrap(prototype, 'listen', (original, server, args) =>
      listening(server as Server) ? Reflect.apply(original, server, args) : server,
    ),
  );
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
  if (typeof found?.value !== 'function') return () => {};
  const original = found.value as Callable;
  let active = true;
  const wrapper = {
    [name](this: unknown, ...args: unknown[]): unknown {
      return active ? around(original, this, args) : Reflect.apply(original, this, args);
    },
  }[name];
  Object.defineProperty(object, name, { ...found, value: wrapper });
  return () => {
    active = false;
    // Somebody may have wrapped the wrapper; then it stays, and passes calls on.
    if (Object.getOwnPropertyDescriptor(object, name)?.value === wrapper) Object.defineProperty(object, name, found);
  };
}
