import * as net from 'node:net';
import { types } from 'node:util';
import { wrongArgument } from '../native/errors.js';

/** What the public functions act on. */
export type LoopbackFastPathTarget = net.Socket | net.Server;

/** How far to go, and what to do where it cannot be done. */
export interface LoopbackFastPathOptions {
  /**
   * Whether IPv6 sockets get it as well. Default `false`.
   *
   * - `true`: IPv6-only sockets. A client is bound IPv6-only before it
   *   connects; a server must listen with `ipv6Only: true`.
   * - `'dual-stack'`: dual-stack sockets too. **Hazard:** the ioctl on
   *   dual-stack sockets has crashed Windows 10 and Server 2016 in the kernel
   *   (grpc/grpc#18057). Only for systems on which that was ruled out.
   */
  readonly ipv6?: boolean | 'dual-stack' | undefined;
  /**
   * Whether there shall rather be no connection, or no listener, than one
   * without it. Default `false`: traffic takes the ordinary path.
   */
  readonly required?: boolean | undefined;
  /**
   * Which loopback addresses and ports it is for; by default all. Asked before
   * each connection attempt and each `listen()`. Must return a boolean; where it
   * does not, or throws, the status is `failed` with
   * `ERR_LOOPBACK_FAST_PATH_SHOULD_APPLY`.
   */
  readonly shouldApply?: ((endpoint: LoopbackFastPathEndpoint) => boolean) | undefined;
}

/** What `shouldApply` decides about. */
export interface LoopbackFastPathEndpoint {
  /** Whether a socket connects there, or a server listens there. */
  readonly side: 'client' | 'server';
  /** An IP address, in 127.0.0.0/8, `0.0.0.0`, `::1` or `::`. */
  readonly address: string;
  /** The port; of a server that lets the system choose one, the chosen one. */
  readonly port: number;
}

/** What is said where a library passes options on: beside its own, as `fastPath`. */
export interface WithFastPathOptions {
  /** How far to go, and what to do where it cannot be done. */
  readonly fastPath?: LoopbackFastPathOptions | undefined;
}

/** Options as the rest of the package gets them. */
export interface Settings {
  readonly ipv6: boolean | 'dual-stack';
  readonly required: boolean;
  readonly shouldApply: ((endpoint: LoopbackFastPathEndpoint) => boolean) | undefined;
  /** Whether nobody asked for this socket in particular: no warnings then. */
  readonly everySocket: boolean;
}

/**
 * The object to act on: the server, or the socket that connects. For
 * a TLSSocket over another socket that is the other one.
 */
export function checkTarget(target: unknown): LoopbackFastPathTarget {
  if (!isConstructed(target)) throw wrongArgument('target', 'an instance of net.Socket or net.Server', target);
  let current = target;
  const seen = new Set<unknown>();
  // A TLSSocket over another socket never connects itself.
  for (let parent: unknown = target; isConstructed(parent) && !seen.has(parent); parent = parentOf(current)) {
    seen.add(parent);
    current = parent;
  }
  return current;
}

const DEFAULTS: Settings = { ipv6: false, required: false, shouldApply: undefined, everySocket: false };

/** Options checked, and with their defaults. */
export function checkOptions(options: unknown, name = 'options'): Settings {
  if (options === undefined) return DEFAULTS;
  if (typeof options !== 'object' || options === null) throw wrongArgument(name, 'an object', options);
  const { ipv6 = false, required = false, shouldApply } = options as Record<keyof LoopbackFastPathOptions, unknown>;
  if (typeof ipv6 !== 'boolean' && ipv6 !== 'dual-stack') {
    throw wrongArgument(`${name}.ipv6`, "a boolean or 'dual-stack'", ipv6);
  }
  if (typeof required !== 'boolean') throw wrongArgument(`${name}.required`, 'a boolean', required);
  if (shouldApply !== undefined && typeof shouldApply !== 'function') {
    throw wrongArgument(`${name}.shouldApply`, 'a function', shouldApply);
  }
  return { ipv6, required, shouldApply: shouldApply as Settings['shouldApply'], everySocket: false };
}

/** The same for options that lie beside those of a library. */
export function checkFastPathOption(options: unknown): Settings {
  const among = typeof options === 'object' && options !== null ? (options as WithFastPathOptions) : {};
  return checkOptions(among.fastPath, 'options.fastPath');
}

/**
 * Whether Node's own constructor made it. An object that has only the prototype
 * lacks what the constructor of every event emitter sets.
 */
function isConstructed(value: unknown): value is LoopbackFastPathTarget {
  if (types.isProxy(value)) return false;
  try {
    return (value instanceof net.Socket || value instanceof net.Server) && Object.hasOwn(value, '_events');
  } catch {
    // A prototype that is a proxy may throw when asked.
    return false;
  }
}

function parentOf(target: LoopbackFastPathTarget): unknown {
  return target instanceof net.Socket ? (target as { _parent?: unknown })._parent : undefined;
}
