import * as net from 'node:net';
import { inspect, types } from 'node:util';

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
}

/** Options as the rest of the package gets them. */
export interface Settings {
  readonly ipv6: boolean | 'dual-stack';
  readonly required: boolean;
}

/** The error that Node itself throws for a wrong argument. */
export function wrongArgument(name: string, expected: string, received: unknown): TypeError {
  let shown: string;
  try {
    shown = inspect(received, { depth: -1, customInspect: false });
  } catch {
    // An accessor of the object threw; what it is remains to be said.
    shown = typeof received;
  }
  const kind = name.includes('.') ? 'property' : 'argument';
  const error = new TypeError(`The "${name}" ${kind} must be ${expected}. Received ${shown}`);
  return Object.assign(error, { code: 'ERR_INVALID_ARG_TYPE' as const });
}

/**
 * The object to act on: the server, or the socket that connects. For
 * a TLSSocket over another socket that is the other one.
 */
export function checkTarget(target: unknown): LoopbackFastPathTarget {
  if (!isConstructed(target)) throw wrongArgument('target', 'an instance of net.Socket or net.Server', target);
  let current = target;
  // A TLSSocket over another socket never connects itself.
  for (let parent = parentOf(current); isConstructed(parent); parent = parentOf(current)) current = parent;
  return current;
}

/** Options checked, and with their defaults. */
export function checkOptions(options: unknown): Settings {
  if (options === undefined) return { ipv6: false, required: false };
  if (typeof options !== 'object' || options === null) throw wrongArgument('options', 'an object', options);
  const { ipv6 = false, required = false } = options as Record<keyof LoopbackFastPathOptions, unknown>;
  if (typeof ipv6 !== 'boolean' && ipv6 !== 'dual-stack') {
    throw wrongArgument('options.ipv6', "a boolean or 'dual-stack'", ipv6);
  }
  if (typeof required !== 'boolean') throw wrongArgument('options.required', 'a boolean', required);
  return { ipv6, required };
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
