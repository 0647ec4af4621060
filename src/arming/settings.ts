import * as net from 'node:net';
import { types } from 'node:util';
import { wrongArgument } from '../native/errors.js';
import { type LoopbackFastPathTarget, ownerOf } from './handle.js';

/** Which sockets to apply the fast path to, and what to do if that fails. */
export interface LoopbackFastPathOptions {
  /**
   * Whether IPv6 sockets get it as well. Default `false`.
   *
   * - `true`: IPv6-only sockets. A client is bound IPv6-only before it
   *   connects; a server must listen with `ipv6Only: true`.
   * - `'dual-stack'`: dual-stack sockets too. **Hazard:** the ioctl on
   *   dual-stack sockets has crashed Windows 10 and Server 2016 in the kernel
   *   (https://github.com/grpc/grpc/issues/18057). Only for systems on which that was ruled out.
   */
  readonly ipv6?: boolean | 'dual-stack' | undefined;
  /**
   * Whether to fail instead of falling back: if the fast path cannot be applied, no
   * connection is attempted and the server does not listen. Default `false`: traffic
   * takes the ordinary path.
   */
  readonly required?: boolean | undefined;
  /**
   * Whether to apply it to this loopback address and port; by default to all. Called
   * before each connection attempt and each `listen()`. Must return a boolean; if it
   * does not, or throws, the status is `failed` with
   * `ERR_LOOPBACK_FAST_PATH_SHOULD_APPLY`.
   */
  readonly shouldApply?: ((endpoint: LoopbackFastPathEndpoint) => boolean) | undefined;
}

/** What `shouldApply` is called with. */
export interface LoopbackFastPathEndpoint {
  /** Whether a socket connects there, or a server listens there. */
  readonly side: 'client' | 'server';
  /** An IP address, in 127.0.0.0/8, `0.0.0.0`, `::1` or `::`. */
  readonly address: string;
  /** The port; of a server that lets the system choose one, the chosen one. */
  readonly port: number;
}

/** Our options among those of Node or a library: the property `fastPath`. */
export interface WithFastPathOptions {
  /** The options of `enableLoopbackFastPath()`. */
  readonly fastPath?: LoopbackFastPathOptions | undefined;
}

/** Options with their defaults, checked. */
export interface Settings {
  readonly ipv6: boolean | 'dual-stack';
  readonly required: boolean;
  readonly shouldApply: ((endpoint: LoopbackFastPathEndpoint) => boolean) | undefined;
}

/**
 * The object to act on: the server, or the socket that connects. For
 * a TLSSocket over another socket that is the other one, and for a Proxy, such as
 * `http2session.socket`, what Node knows as the owner of its handle.
 *
 * @throws {TypeError} `ERR_INVALID_ARG_TYPE`
 */
export function checkTarget(target: unknown): LoopbackFastPathTarget {
  try {
    let current = ownTarget(target);
    // A TLSSocket over another socket never connects itself. Nobody stacks more of them.
    for (let depth = 0; current !== undefined && depth < 16; ++depth) {
      const parent = ownTarget((current as { _parent?: unknown })._parent);
      if (parent === undefined) return current;
      current = parent;
    }
  } catch {
    // A Proxy, or an accessor, that throws when it is asked.
  }
  throw wrongArgument('target', 'an instance of net.Socket or net.Server', target);
}

/** Whether a target listens. */
export function isServer(target: object): target is net.Server {
  // Most targets are sockets.
  return !(target instanceof net.Socket) && (target instanceof net.Server || isServerOfHttp(target));
}

/** In Bun, a server of http is not one of net. To load http takes Node a while. */
function isServerOfHttp(target: object): boolean {
  const { Server }: typeof import('node:http') = require('node:http');
  return target instanceof Server;
}

const DEFAULTS: Settings = { ipv6: false, required: false, shouldApply: undefined };

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
  return { ipv6, required, shouldApply: shouldApply as Settings['shouldApply'] };
}

/** The same for options that lie beside those of a library. */
export function checkFastPathOption(options: unknown): Settings {
  const among = typeof options === 'object' && options !== null ? (options as WithFastPathOptions) : {};
  return checkOptions(among.fastPath, 'options.fastPath');
}

/** What Node's own constructor made, or what stands for it; undefined for anything else. */
function ownTarget(value: unknown): LoopbackFastPathTarget | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  if (types.isProxy(value)) {
    const handle: unknown = Reflect.get(value, '_handle');
    const owner = typeof handle === 'object' && handle !== null ? ownerOf(handle) : undefined;
    return owner === undefined || types.isProxy(owner) ? undefined : ownTarget(owner);
  }
  // An object that has only the prototype lacks what the constructor of every event emitter sets.
  const constructed = value instanceof net.Socket || isServer(value);
  return constructed && Object.hasOwn(value, '_events') ? value : undefined;
}
