/**
 * The package for bundles made for Windows on arm64: the same as
 * `loopback-fast-path`, with that one binary.
 *
 * @packageDocumentation
 */

import './win32-arm64.cjs';

export * from '../api.js';
