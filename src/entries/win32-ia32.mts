/**
 * The package for bundles made for Windows on ia32: the same as
 * `loopback-fast-path`, with that one binary.
 *
 * @packageDocumentation
 */

import './win32-ia32.cjs';

export * from '../api.js';
