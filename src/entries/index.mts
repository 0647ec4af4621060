/**
 * SIO_LOOPBACK_FAST_PATH for the TCP sockets and servers of Node.js on Windows.
 *
 * @packageDocumentation
 */

import './index.cjs';

export * from '../api.js';
