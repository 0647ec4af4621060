import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import * as net from 'node:net';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

/** The shipped binary for this machine. */
export const binaryFile = fileURLToPath(
  new URL(`../../prebuilds/win32-${process.arch}/loopback-fast-path.node`, import.meta.url),
);

/** A certificate for localhost, for TLS tests only. */
export const certificate = {
  key: readFileSync(new URL('../fixtures/localhost.key', import.meta.url)),
  cert: readFileSync(new URL('../fixtures/localhost.crt', import.meta.url)),
};

/** Listens, tells the port, and closes when the test is over. */
export async function listening<S extends net.Server>(server: S, ...args: unknown[]): Promise<number> {
  const sockets = new Set<net.Socket>();
  server.on('connection', (socket: net.Socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
  });
  Reflect.apply(server.listen, server, args.length > 0 ? args : [0, '127.0.0.1']);
  if (!server.listening) await once(server, 'listening');
  onTestFinished(() => closed(server, sockets));
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

async function closed(server: net.Server, sockets: Iterable<net.Socket>): Promise<void> {
  for (const socket of sockets) socket.destroy();
  if (!server.listening) return;
  const gone = once(server, 'close');
  server.close();
  await gone;
}

/** A server that sends back what it gets. */
export function echo(...args: unknown[]): Promise<number> {
  return listening(
    net.createServer((socket) => socket.pipe(socket)),
    ...args,
  );
}

/** Destroys a socket when the test is over. */
export function closing<S extends net.Socket>(socket: S): S {
  socket.on('error', () => {});
  onTestFinished(() => {
    socket.destroy();
  });
  return socket;
}

/** Sends a text through a connected socket of an echo server and checks what comes back. */
export async function exchange(socket: net.Socket, text = 'ping'): Promise<string> {
  socket.write(text);
  let received = '';
  while (received.length < text.length) {
    const [data] = (await once(socket, 'data')) as [Buffer];
    received += data.toString();
  }
  return received;
}

/** The error that a socket or server ends with. */
export async function failure(emitter: net.Socket | net.Server): Promise<unknown> {
  const [error] = (await once(emitter, 'error')) as [unknown];
  return error;
}

/** The error that a function throws. */
export function thrown(action: () => unknown): unknown {
  try {
    action();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}

/** What is used here of a raw TCP handle of Node. */
export interface RawHandle {
  close(): void;
  hasRef(): boolean;
  ref(): void;
  unref(): void;
}

/** A raw TCP handle of Node, bound to a free port. */
export function boundHandle(): RawHandle {
  const { _createServerHandle } = net as unknown as { _createServerHandle(...args: unknown[]): RawHandle | number };
  const handle = _createServerHandle('127.0.0.1', 0, 4);
  if (typeof handle === 'number') throw new Error(`bind: ${handle}`);
  return handle;
}

/** net.BoundSocket, where this Node has it. */
export const BoundSocket = (net as { BoundSocket?: new (options: { host: string }) => object }).BoundSocket;

/** Names a test for the skipped list, which shows names only. */
export const boundSocketTitle = (title: string) =>
  BoundSocket === undefined ? `${title} [net.BoundSocket came with Node 24.19 and 26.4]` : title;
