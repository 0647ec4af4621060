import type { LoopbackFastPathError } from '../native/errors.js';
import type { LoopbackFastPathTarget } from './handle.js';
import type { SkipReason } from './policy.js';

/**
 * The state of a socket or server.
 *
 * - `off`: never enabled, or disabled again.
 * - `armed`: enabled; the ioctl comes with the next connection attempt or `listen()`.
 * - `applied`: the system accepted the ioctl on the SOCKET of the latest
 *   attempt or `listen()`. That does not prove that packets take the fast
 *   path: the other end must use it as well, software that inspects traffic silently
 *   takes the connection off it, and Windows offers no way to find out.
 * - `skipped`: the SOCKET was left alone, for `reason`.
 * - `failed`: it could not be applied, because of `error`; traffic takes the
 *   ordinary path.
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
  /** A handle of Node, and no socket or server, where a cluster primary listens for its workers. */
  readonly target: LoopbackFastPathTarget | object;
  readonly status: LoopbackFastPathStatus;
  /** What is connected to or listened on, as far as it is known by then. */
  readonly address?: string;
  readonly port?: number;
}

export const OFF: LoopbackFastPathStatus = Object.freeze({ state: 'off' });
export const ARMED: LoopbackFastPathStatus = Object.freeze({ state: 'armed' });
export const SWITCHED_OFF: LoopbackFastPathStatus = Object.freeze({ state: 'skipped', reason: 'switched-off' });
export const NOT_TCP: LoopbackFastPathStatus = Object.freeze({ state: 'skipped', reason: 'not-tcp' });
export const CLUSTER: LoopbackFastPathStatus = Object.freeze({ state: 'skipped', reason: 'cluster' });
