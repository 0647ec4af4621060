import type { LoopbackFastPathTarget, Settings } from './arguments.js';
import { LoopbackFastPathError, winsockError } from './errors.js';
import { native } from './native.js';
import { decide } from './policy.js';
import { getStatus, type LoopbackFastPathStatus } from './status.js';

/** What this package knows of a handle of Node (TCPWrap, PipeWrap, TLSWrap, …). */
export interface Handle {
  close(): void;
  hasRef?(): boolean;
  getsockname?(out: { address?: string }): number;
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
    return handle?._parent ?? handle;
  } catch (cause) {
    throw asError(cause);
  }
}

/**
 * Applies the policy and, if it says so, the ioctl to the SOCKET of a target.
 * Returns what became of it and never throws: its callers are called by Node.
 */
export function apply(target: LoopbackFastPathTarget, address: string, settings: Settings): LoopbackFastPathStatus {
  try {
    const decision = decide(address, settings);
    if (decision.skip !== undefined) return { state: 'skipped', reason: decision.skip };
    const handle = transportHandle(target);
    if (handle === undefined) return { state: 'skipped', reason: 'not-tcp' };
    const result = native().setFastPath(handle, true, decision.family, decision.ipv6Only);
    if (typeof result === 'string') return { state: 'skipped', reason: result };
    if (result !== undefined) return { state: 'failed', error: winsockError(result) };
    return { state: 'applied', family: decision.family, address };
  } catch (cause) {
    return { state: 'failed', error: asError(cause) };
  }
}

/**
 * Whether a target has it now: applied, and its SOCKET still there.
 *
 * @throws {LoopbackFastPathError} `…_HOST` where its handle is not one of Node's.
 */
export function isApplied(target: LoopbackFastPathTarget): boolean {
  return getStatus(target).state === 'applied' && transportHandle(target) !== undefined;
}

/**
 * The address a handle is bound to: `''` for what has none, such as a named
 * pipe, and undefined while libuv has not made the SOCKET yet.
 *
 * @throws {LoopbackFastPathError} `…_HOST` where it is not one of Node's.
 */
export function boundAddress(handle: Handle): string | undefined {
  try {
    if (handle.getsockname === undefined) return '';
    const out: { address?: string } = {};
    return handle.getsockname(out) === 0 ? out.address : undefined;
  } catch (cause) {
    throw asError(cause);
  }
}

/** Any thrown value as an error of this package. */
export function asError(cause: unknown): LoopbackFastPathError {
  if (cause instanceof LoopbackFastPathError) return cause;
  return new LoopbackFastPathError(
    'ERR_LOOPBACK_FAST_PATH_HOST',
    'The handle under the socket or server is not what Node puts there, so its SOCKET cannot be reached.',
    { cause },
  );
}

/**
 * The error for a caller who said `required`, if the status is not what that
 * asks for.
 */
export function requiredError(status: LoopbackFastPathStatus): LoopbackFastPathError | undefined {
  if (status.state === 'failed') return status.error;
  if (status.state === 'skipped') {
    return new LoopbackFastPathError(
      'ERR_LOOPBACK_FAST_PATH_SKIPPED',
      `The loopback fast path is required, but the socket was left alone: ${status.reason}. ${REMEDY[status.reason]}`,
    );
  }
  return undefined;
}

const REMEDY = {
  'not-loopback': 'Use an address in 127.0.0.0/8.',
  ipv6: 'Use 127.0.0.1, or see the option ipv6.',
  'dual-stack': 'Use 127.0.0.1, or an IPv6-only socket.',
  'not-tcp': 'Only TCP sockets have it.',
  cluster: 'Listen with exclusive: true, or use the scheduling policy SCHED_NONE.',
} as const;
