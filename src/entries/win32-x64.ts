/**
 * The package for bundles made for Windows on x64: the same as
 * `loopback-fast-path`, with that one binary.
 *
 * @packageDocumentation
 */

import { carryBinary } from '../core.js';

carryBinary('the prebuilt binary for x64', () => require('../prebuilds/win32-x64/loopback-fast-path.node'));

export * from '../api.js';
