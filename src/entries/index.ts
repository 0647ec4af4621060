/**
 * SIO_LOOPBACK_FAST_PATH for the TCP sockets and servers of Node.js on Windows.
 *
 * @packageDocumentation
 */

import { carryBinary } from '../core.js';

carryBinary('the prebuilt binary', () => {
  switch (process.arch) {
    case 'x64':
      return require('../prebuilds/win32-x64/loopback-fast-path.node');
    case 'arm64':
      return require('../prebuilds/win32-arm64/loopback-fast-path.node');
    case 'ia32':
      return require('../prebuilds/win32-ia32/loopback-fast-path.node');
    default:
      throw new Error(`none is shipped for win32-${process.arch}`);
  }
});

export * from '../api.js';
