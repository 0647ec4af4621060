/**
 * The package for bundles made for Windows on x64: the same as
 * `loopback-fast-path`, with that one binary.
 *
 * @packageDocumentation
 */

import './win32-x64.cjs';

export * from '../api.js';
