/**
 * The package for bundles made for Windows on ia32: the same as
 * `loopback-fast-path`, with that one binary.
 *
 * @packageDocumentation
 */

import requireBinary from './binary-win32-ia32.cjs';
import { useBinaries } from './native.js';

useBinaries([['the prebuilt binary for ia32', requireBinary]]);

export * from './api.js';
