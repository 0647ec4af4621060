import { channel } from 'node:diagnostics_channel';
import { Server } from 'node:net';
import { debuglog } from 'node:util';
import type { LoopbackFastPathTarget } from './arguments.js';
import type { LoopbackFastPathError } from './errors.js';
import type { SkipReason } from './policy.js';

/**
 * Where a socket or server stands.
 *
 * - `off`: never enabled, or disabled again.
 * - `armed`: enabled; the next connection attempt or `listen()` will be treated.
 * - `applied`: the system accepted the ioctl on the SOCKET of the latest
 *   attempt or `listen()`. That is no proof that packets take the fast path:
 *   the other end must use it as well (B1), and software that inspects traffic
 *   takes the connection off it in silence (B9). Windows cannot be asked (B13).
 * - `skipped`: the policy left that SOCKET alone, for `reason`.
 * - `failed`: it could not be done, for `error`; traffic takes the ordinary
 *   path.
 */
export type LoopbackFastPathStatus =
  | { readonly state: 'off' }
  | { readonly state: 'armed' }
  | {
      readonly state: 'applied';
      /** IP version of the SOCKET. */
      readonly family: 4 | 6;
      /** The address it connects to, or listens on. */
      readonly address: string;
    }
  | { readonly state: 'skipped'; readonly reason: SkipReason }
  | { readonly state: 'failed'; readonly error: LoopbackFastPathError };

/** What subscribers of the diagnostics channel `loopback-fast-path:status` get. */
export interface LoopbackFastPathStatusMessage {
  readonly target: LoopbackFastPathTarget;
  readonly status: LoopbackFastPathStatus;
}

export const OFF: LoopbackFastPathStatus = Object.freeze({ state: 'off' });
export const ARMED: LoopbackFastPathStatus = Object.freeze({ state: 'armed' });

const statusChannel = channel('loopback-fast-path:status');
const debug = debuglog('loopback-fast-path');
const statuses = new WeakMap<LoopbackFastPathTarget, LoopbackFastPathStatus>();

export function getStatus(target: LoopbackFastPathTarget): LoopbackFastPathStatus {
  return statuses.get(target) ?? OFF;
}

/** Keeps a status and tells of it, unless it is what it was. */
export function setStatus(target: LoopbackFastPathTarget, status: LoopbackFastPathStatus): void {
  if (getStatus(target) === status) return;
  statuses.set(target, Object.freeze(status));
  // Node itself keeps what a subscriber throws away from the publisher.
  if (statusChannel.hasSubscribers) statusChannel.publish({ target, status } satisfies LoopbackFastPathStatusMessage);
  if (debug.enabled) debug('%s %s', target instanceof Server ? 'server' : 'socket', describe(status));
}

function describe(status: LoopbackFastPathStatus): string {
  switch (status.state) {
    case 'applied':
      return `applied: accepted by the system for ${status.address}`;
    case 'skipped':
      return `skipped: ${status.reason}`;
    case 'failed':
      return `failed: ${status.error.message}`;
    default:
      return status.state;
  }
}
