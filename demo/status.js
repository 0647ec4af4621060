import { getLoopbackFastPathStatus } from 'loopback-fast-path';

/** A status that can be sent to another process. */
export function plain(target) {
  const status = getLoopbackFastPathStatus(target);
  return 'error' in status ? { state: status.state, error: status.error.code } : status;
}
