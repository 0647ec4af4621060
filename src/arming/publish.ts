import { channel } from 'node:diagnostics_channel';
import { debuglog } from 'node:util';
import { describe, kindOf } from './describe.js';
import type { Endpoint } from './handle.js';
import type { LoopbackFastPathStatus, LoopbackFastPathStatusMessage } from './status.js';

/** The diagnostics channel that every change of a status is published on. */
export const STATUS_CHANNEL = 'loopback-fast-path:status';

const statusChannel = channel(STATUS_CHANNEL);
const debug = debuglog('loopback-fast-path');

/**
 * Tells subscribers. Not at once: Node is about to use the handle, and what a subscriber
 * naturally does after a failure, destroying the socket, would leave it without one.
 */
export function publish(target: object, status: LoopbackFastPathStatus, endpoint?: Endpoint): void {
  if (debug.enabled) debug('%s %s', kindOf(target), describe(status));
  if (!statusChannel.hasSubscribers) return;
  const message: LoopbackFastPathStatusMessage = { target, status, ...endpoint };
  process.nextTick(() => statusChannel.publish(message));
}
