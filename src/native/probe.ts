import { native } from './binding.js';
import { type LoopbackFastPathError, winsockError } from './errors.js';

/** Whether the system takes the ioctl, or why not. */
export type LoopbackFastPathProbe =
  | { readonly supported: true }
  | { readonly supported: false; readonly error: LoopbackFastPathError };

let probed: LoopbackFastPathProbe | undefined;

/**
 * Asks the system whether it takes the ioctl at all, on an IPv4 socket of its
 * own that is closed again. Asked once in each thread; never throws. `supported`
 * says nothing about a connection, see `applied` of `LoopbackFastPathStatus`.
 */
export function probeLoopbackFastPath(): LoopbackFastPathProbe {
  probed ??= Object.freeze(probe());
  return probed;
}

function probe(): LoopbackFastPathProbe {
  try {
    const failure = native().probe(4, true);
    return failure === undefined ? { supported: true } : { supported: false, error: winsockError(failure) };
  } catch (error) {
    return { supported: false, error: error as LoopbackFastPathError };
  }
}
