/**
 * The package for programs that carry the binary themselves, such as single
 * executable applications: the same as `loopback-fast-path`, once it was told
 * how to load it.
 *
 * @packageDocumentation
 */

import { wrongArgument } from './arguments.js';
import { useBinaries } from './native.js';

/**
 * Says how to load `prebuilds/win32-<arch>/loopback-fast-path.node`, before the
 * first call of another function.
 *
 * @param load Returns what the binary exports. Called once in a thread, when it
 * is needed; what it throws becomes `ERR_LOOPBACK_FAST_PATH_BINARY`.
 * @throws {TypeError} `ERR_INVALID_ARG_TYPE` when it is not a function.
 */
export function useBinary(load: () => unknown): void {
  if (typeof load !== 'function') throw wrongArgument('load', 'a function', load);
  useBinaries([['the binary that the program carries', load]]);
}

export * from './api.js';
