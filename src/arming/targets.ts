// What is remembered of each socket and server: what was asked for, and what became of
// it. It belongs to a handle: a reconnect, or another listen(), has another one.

import type { Endpoint, Handle, LoopbackFastPathTarget } from './handle.js';
import { identityOf, transportHandle } from './handle.js';
import { publish } from './publish.js';
import type { Settings } from './settings.js';
import { ARMED, type LoopbackFastPathStatus, OFF } from './status.js';

interface Asked {
  /** What to ask in turn at the next attempt or listen(); none where it is not armed. */
  settings: readonly Settings[];
  /** Whether a function was called for this one, and not for all of a process or context. */
  explicit: boolean;
}

interface Entry extends Asked {
  status: LoopbackFastPathStatus;
  /** The handle that the status is about; undefined where it is about the next one. */
  handle: Handle | undefined;
}

const NOTHING: Asked = { settings: [], explicit: true };

const entries = new WeakMap<object, Entry>();

/** Has the next attempt, or listen(), of a target looked at. */
export function arm(target: LoopbackFastPathTarget, settings: readonly Settings[], explicit: boolean): void {
  remember(target, { settings, explicit }, ARMED, undefined);
}

/** Leaves a target alone from now on, for the reason in `status`. */
export function disarm(target: LoopbackFastPathTarget, status: LoopbackFastPathStatus = OFF): void {
  remember(target, NOTHING, status, undefined);
}

/** What to ask, in turn; nothing where the target is not armed. */
export function settingsOf(target: LoopbackFastPathTarget): readonly Settings[] {
  return entryOf(target)?.settings ?? [];
}

/** Whether a function was called for this target: that takes precedence. */
export function isExplicit(target: LoopbackFastPathTarget): boolean {
  return entryOf(target)?.explicit === true;
}

/** Keeps what became of a handle, and publishes it. */
export function conclude(
  target: LoopbackFastPathTarget,
  status: LoopbackFastPathStatus,
  handle: Handle | undefined,
  endpoint?: Endpoint,
): void {
  remember(target, undefined, Object.freeze(status), handle, endpoint);
}

/** Where a target stands now. */
export function getStatus(target: LoopbackFastPathTarget): LoopbackFastPathStatus {
  return statusOf(target, entryOf(target));
}

function statusOf(target: LoopbackFastPathTarget, entry: Entry | undefined): LoopbackFastPathStatus {
  if (entry === undefined) return OFF;
  if (entry.handle === undefined) return entry.status;
  const current = currentHandle(target);
  // Without a handle it is closed, and what became of the last one still holds.
  if (current === undefined || current === entry.handle) return entry.status;
  return entry.settings.length > 0 ? ARMED : OFF;
}

/** What became of the handle that a target has now, if anything did. */
export function outcomeOf(target: LoopbackFastPathTarget): LoopbackFastPathStatus | undefined {
  const entry = entryOf(target);
  return entry?.handle !== undefined && currentHandle(target) === entry.handle ? entry.status : undefined;
}

/** Whether the SOCKET that a target has now has it. */
export function isApplied(target: LoopbackFastPathTarget): boolean {
  return outcomeOf(target)?.state === 'applied';
}

function entryOf(target: LoopbackFastPathTarget): Entry | undefined {
  return entries.get(identityOf(target));
}

function remember(
  target: LoopbackFastPathTarget,
  asked: Asked | undefined,
  status: LoopbackFastPathStatus,
  handle: Handle | undefined,
  endpoint?: Endpoint,
): void {
  const entry = entryOf(target);
  const before = statusOf(target, entry);
  if (entry === undefined) {
    const { settings, explicit } = asked ?? NOTHING;
    entries.set(identityOf(target), { settings, explicit, status, handle });
  } else {
    Object.assign(entry, asked);
    entry.status = status;
    entry.handle = handle;
  }
  if (status !== before) publish(target, status, endpoint);
}

/** The handle that a target has now, if it is one of Node's. */
export function currentHandle(target: LoopbackFastPathTarget): Handle | undefined {
  try {
    return transportHandle(target);
  } catch {
    // Not one of Node's; whoever needs it gets the error.
    return undefined;
  }
}
