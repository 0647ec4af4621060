/**
 * The package for bundles made for Windows on arm64: the same as
 * `loopback-fast-path`, with that one binary.
 *
 * @packageDocumentation
 */

import requireBinary from './binary-win32-arm64.cjs';
import { useBinaries } from './native.js';

useBinaries([['the prebuilt binary for arm64', requireBinary]]);

export * from './api.js';
