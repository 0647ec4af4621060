import { runInContext } from '../arming/ambient.js';
import { checkOptions, type LoopbackFastPathOptions } from '../arming/settings.js';
import { wrongArgument } from '../native/errors.js';

/**
 * Calls `fn` and arms every TCP client and server whose `connect()` or `listen()` is
 * called in its asynchronous context, at once or later: the one line for a library that
 * makes its sockets itself, for its pools, reconnects and retries.
 *
 * Of nested calls the inner one counts. A call for one socket
 * (`enableLoopbackFastPath()`, a factory) takes precedence over the context, and the
 * context over registrations. A failure becomes the status of the socket or server
 * and, with `required`, its `'error'`: it is not thrown.
 *
 * @param options As for `enableLoopbackFastPath()`; `false` keeps what is connected and
 * listened on in there out of registrations and outer contexts.
 * @param args What `fn` is called with.
 * @returns What `fn` returns.
 * @throws {TypeError} `ERR_INVALID_ARG_TYPE` for a wrong argument, and what `fn` throws.
 */
export function runWithLoopbackFastPath<Args extends unknown[], R>(
  options: LoopbackFastPathOptions | false | undefined,
  fn: (...args: Args) => R,
  ...args: Args
): R {
  const settings = options === false ? [] : [checkOptions(options)];
  if (typeof fn !== 'function') throw wrongArgument('fn', 'a function', fn);
  return runInContext(settings, () => fn(...args));
}
