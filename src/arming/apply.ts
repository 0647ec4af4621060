import { native } from '../native/binding.js';
import { asError, LoopbackFastPathError, winsockError } from '../native/errors.js';
import type { Handle } from './handle.js';
import { decide, type SkipReason } from './policy.js';
import type { LoopbackFastPathEndpoint, Settings } from './settings.js';
import { type LoopbackFastPathStatus, OFF } from './status.js';

const APPLIED = Symbol.for('loopback-fast-path.applied');

/**
 * The handles that have it, with the IP version of their SOCKET, from whichever copy of
 * the package in this thread: where a program asks in several ways, one ioctl is enough.
 */
function findAppliedHandles(): WeakMap<object, 4 | 6> {
  const found: unknown = Reflect.get(globalThis, APPLIED);
  if (found instanceof WeakMap) return found;
  const handles = new WeakMap<object, 4 | 6>();
  Object.defineProperty(globalThis, APPLIED, { value: handles, configurable: true, writable: true });
  return handles;
}

let appliedHandles: WeakMap<object, 4 | 6> | undefined;

/**
 * Asks each of `settings` in turn until one wants the SOCKET of a handle, and applies
 * the ioctl for that. Never throws: Node calls us, and must not see it.
 */
export function apply(
  handle: Handle,
  endpoint: LoopbackFastPathEndpoint,
  settings: readonly Settings[],
): LoopbackFastPathStatus {
  let status: LoopbackFastPathStatus | undefined;
  for (const each of settings) {
    const next = guarded(() => applyOne(handle, endpoint, each));
    if (next.state !== 'skipped') return next;
    status ??= next;
  }
  return status ?? OFF;
}

/** @throws {unknown} Whatever is in the way. */
function applyOne(handle: Handle, endpoint: LoopbackFastPathEndpoint, settings: Settings): LoopbackFastPathStatus {
  const { address } = endpoint;
  const { skip, family } = decide(address, settings);
  if (skip !== undefined) return { state: 'skipped', reason: skip };
  if (!isWanted(endpoint, settings)) return { state: 'skipped', reason: 'declined' };
  appliedHandles ??= findAppliedHandles();
  const known = appliedHandles.get(handle);
  if (known !== undefined) return { state: 'applied', family: known, address };
  const result = native().setFastPath(
    handle,
    true,
    family,
    IPV6_SOCKETS[String(settings.ipv6) as `${typeof settings.ipv6}`],
  );
  if (typeof result === 'string') return { state: 'skipped', reason: result };
  if (typeof result === 'object') return { state: 'failed', error: winsockError(result) };
  appliedHandles.set(handle, result);
  return { state: 'applied', family: result, address };
}

/** Which IPv6 SOCKETs get it, as native/binding.cc wants to be told. */
const IPV6_SOCKETS = { false: 0, true: 1, 'dual-stack': 2 } as const;

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

/** Whether to fail instead of falling back. */
export function isRequired(settings: readonly Settings[]): boolean {
  return settings.some(({ required }) => required);
}

/**
 * The error for a caller who set `required`, if the fast path was not applied.
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
  'not-tcp': 'Only TCP sockets can use it.',
  cluster: 'Listen with exclusive: true, or use the scheduling policy SCHED_NONE.',
  declined: 'The function shouldApply returned false.',
  'switched-off': 'Remove LOOPBACK_FAST_PATH=0 from the environment.',
};
