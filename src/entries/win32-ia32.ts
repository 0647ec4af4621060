/**
 * The package for bundles made for Windows on ia32: the same as
 * `loopback-fast-path`, with that one binary.
 *
 * @packageDocumentation
 */

import { carryBinary } from '../core.js';

carryBinary('the prebuilt binary for ia32', () => require('../prebuilds/win32-ia32/loopback-fast-path.node'));

export * from '../api.js';
