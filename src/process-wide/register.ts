/**
 * For `node --require loopback-fast-path/register`, `--import` and NODE_OPTIONS:
 * arms every TCP client and server of the thread, best effort. The rest of the
 * package is loaded when the first of them connects or listens.
 *
 * @packageDocumentation
 */

import { interceptEverySocket } from '../arming/intercept.js';

const { LOOPBACK_FAST_PATH } = process.env;

/** Takes it back and leaves `net` as it was found; sockets that were armed until then stay armed. */
export const unregister: () => void =
  process.platform === 'win32' && LOOPBACK_FAST_PATH !== '0'
    ? interceptEverySocket(() => (require('../core.js') as typeof import('../core.js')).treatment())
    : () => {};
