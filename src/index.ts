/**
 * SIO_LOOPBACK_FAST_PATH for the TCP sockets and servers of Node.js on Windows.
 *
 * @packageDocumentation
 */

import binary from './binary.cjs';
import { useBinaries } from './native.js';

useBinaries([
  ['the prebuilt binary', () => binary.requirePrebuilt(process.arch)],
  ['a binary built from source', binary.requireBuilt],
]);

export * from './api.js';
