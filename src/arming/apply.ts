import { native } from '../native/binding.js';
import { LoopbackFastPathError, winsockError } from '../native/errors.js';
import { decide, type Endpoint, type SkipReason } from './policy.js';
import type { LoopbackFastPathEndpoint, LoopbackFastPathTarget, Settings } from './settings.js';
import { getStatus, type LoopbackFastPathStatus } from './status.js';

/** What this package knows of a handle of Node (TCPWrap, PipeWrap, TLSWrap, …). */
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

const TREATED = Symbol.for('loopback-fast-path.treated');

/**
 * The handles that have it, from whichever copy of the package in this thread:
 * where a program asks in several ways, one ioctl is enough.
 */
function treatedHandles(): WeakSet<object> {
  const found: unknown = Reflect.get(globalThis, TREATED);
  if (found instanceof WeakSet) return found;
  const handles = new WeakSet();
  Object.defineProperty(globalThis, TREATED, { value: handles, configurable: true, writable: true });
  return handles;
}

/**
 * Applies the policy and, if it says so, the ioctl to the SOCKET of a handle.
 *
 * @throws {unknown} Whatever is in the way; `guarded()` makes a status of it.
 */
export function apply(
  handle: Handle | undefined,
  endpoint: LoopbackFastPathEndpoint,
  settings: Settings,
): LoopbackFastPathStatus {
  const { address } = endpoint;
  const decision = decide(address, settings);
  if (decision.skip !== undefined) return { state: 'skipped', reason: decision.skip };
  if (!isWanted(endpoint, settings)) return { state: 'skipped', reason: 'declined' };
  if (handle === undefined) return { state: 'skipped', reason: 'not-tcp' };
  const treated = treatedHandles();
  if (!treated.has(handle)) {
    const result = native().setFastPath(handle, true, decision.family, decision.ipv6Only);
    if (typeof result === 'string') return { state: 'skipped', reason: result };
    if (result !== undefined) return { state: 'failed', error: winsockError(result) };
    treated.add(handle);
  }
  return { state: 'applied', family: decision.family, address };
}

/** The status that an action leads to, also where it throws: Node calls us, and must not see that. */
export function guarded(action: () => LoopbackFastPathStatus): LoopbackFastPathStatus {
  try {
    return action();
  } catch (cause) {
    return { state: 'failed', error: asError(cause) };
  }
}

/** @throws {LoopbackFastPathError} `…_SHOULD_APPLY` */
function isWanted(endpoint: LoopbackFastPathEndpoint, { shouldApply }: Settings): boolean {
  if (shouldApply === undefined) return true;
  let wanted: unknown;
  let details: { cause: unknown } | undefined;
  try {
    wanted = shouldApply(endpoint);
  } catch (cause) {
    details = { cause };
  }
  if (typeof wanted === 'boolean') return wanted;
  throw new LoopbackFastPathError(
    'ERR_LOOPBACK_FAST_PATH_SHOULD_APPLY',
    `The function shouldApply ${details === undefined ? `returned no boolean but ${typeof wanted}` : 'threw'} for port ${endpoint.port} of ${endpoint.address}.`,
    details,
  );
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

const REMEDY: { readonly [reason in SkipReason]: string } = {
  'not-loopback': 'Use an address in 127.0.0.0/8.',
  ipv6: 'Use 127.0.0.1, or see the option ipv6.',
  'dual-stack': 'Use 127.0.0.1, or an IPv6-only socket.',
  'not-tcp': 'Only TCP sockets have it.',
  cluster: 'Listen with exclusive: true, or use the scheduling policy SCHED_NONE.',
  declined: 'The function shouldApply returned false.',
  'switched-off': 'Remove LOOPBACK_FAST_PATH=0 from the environment.',
};
