// What Node has: sockets and servers, and the handles under them that stand for libuv's.

import type * as net from 'node:net';
import { asError } from '../native/errors.js';

/** What the public functions act on. */
export type LoopbackFastPathTarget = net.Socket | net.Server;

/** One end of a connection, or of one to come: where a client connects to, or a server listens. */
export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

/** A handle of Node: a TCP, a Pipe, a TLSWrap. */
export interface Handle {
  close(): void;
  hasRef?(): boolean;
  getsockname?(out: Partial<Endpoint>): number;
  /** Of a TLSWrap: the handle that it encrypts. */
  readonly _parent?: Handle | null;
}

/**
 * The handle with the SOCKET, once there is one.
 *
 * @throws {LoopbackFastPathError} `…_HOST` where it is not one of Node's.
 */
export function transportHandle(target: LoopbackFastPathTarget): Handle | undefined {
  try {
    const handle = (target as { _handle?: Handle | null })._handle ?? undefined;
    const transport = handle?._parent ?? handle;
    if (transport !== undefined && typeof transport !== 'object') throw new TypeError(`a ${typeof transport}`);
    return transport;
  } catch (cause) {
    throw asError(cause);
  }
}

/**
 * Where a handle is bound: `'not-tcp'` for what has no address, such as a named
 * pipe, and undefined while libuv has not made the SOCKET yet.
 *
 * @throws {LoopbackFastPathError} `…_HOST` where it is not one of Node's.
 */
export function boundEndpoint(handle: Handle): Endpoint | 'not-tcp' | undefined {
  try {
    if (handle.getsockname === undefined) return 'not-tcp';
    const out: Partial<Endpoint> = {};
    if (handle.getsockname(out) !== 0 || out.address === undefined) return undefined;
    return { address: out.address, port: out.port ?? 0 };
  } catch (cause) {
    throw asError(cause);
  }
}

let ownerSymbol: symbol | undefined;

/** The socket or server that Node has put on a handle; there is none on one below TLS. */
export function ownerOf(handle: object): object | undefined {
  ownerSymbol ??= Object.getOwnPropertySymbols(handle).find(({ description }) => description === 'owner_symbol');
  const owner: unknown = ownerSymbol === undefined ? undefined : Reflect.get(handle, ownerSymbol);
  return typeof owner === 'object' && owner !== null ? owner : undefined;
}

/** What stays the same of a socket when a Proxy stands before it. */
export function identityOf(target: object): object {
  const { _readableState: state } = target as { _readableState?: unknown };
  return typeof state === 'object' && state !== null ? state : target;
}
