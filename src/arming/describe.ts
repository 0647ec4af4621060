import { Socket } from 'node:net';
import type { LoopbackFastPathStatus } from './status.js';

/** What a target is called in a log. */
export function kindOf(target: object): 'client' | 'server' {
  return target instanceof Socket ? 'client' : 'server';
}

/** A status in words. */
export function describe(status: LoopbackFastPathStatus): string {
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
