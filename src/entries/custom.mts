/**
 * The package for programs that carry the binary themselves, such as single
 * executable applications: the same as `loopback-fast-path`, once it was told
 * how to load it.
 *
 * @packageDocumentation
 */

export * from '../api.js';
export { useBinary } from '../core.js';
