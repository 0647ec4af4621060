import { native } from './binding.js';
import { LoopbackFastPathError, winsockError } from './errors.js';

/** Whether the system accepts the ioctl, or why not. */
export type LoopbackFastPathProbe =
  | { readonly supported: true }
  | { readonly supported: false; readonly error: LoopbackFastPathError };

let lasting: LoopbackFastPathProbe | undefined;

/**
 * Whether the system accepts the ioctl at all, tried on an IPv4 socket of its own
 * that is closed again. Never throws. The answer is kept for the thread, except a
 * failure that may pass (no buffers, no descriptors). `supported` says nothing about
 * a connection, see `applied` of `LoopbackFastPathStatus`.
 */
export function probeLoopbackFastPath(): LoopbackFastPathProbe {
  if (lasting !== undefined) return lasting;
  const answer = Object.freeze(probe());
  if (answer.supported || isFinal(answer.error)) lasting = answer;
  return answer;
}

function probe(): LoopbackFastPathProbe {
  try {
    const failure = native().probe(4, true);
    return failure === undefined ? { supported: true } : { supported: false, error: winsockError(failure) };
  } catch (error) {
    return { supported: false, error: error as LoopbackFastPathError };
  }
}

/** Whether every socket of this process will get the same answer. */
export function isFinal({ code }: LoopbackFastPathError): boolean {
  return (
    code === 'WSAEOPNOTSUPP' || code === 'ERR_LOOPBACK_FAST_PATH_PLATFORM' || code === 'ERR_LOOPBACK_FAST_PATH_HOST'
  );
}

/**
 * For the door: what depends on the one socket comes with its attempt.
 *
 * @throws {LoopbackFastPathError} What Winsock says where the system refuses the ioctl
 * for every socket (E10).
 */
export function assertSystemTakesIt(): void {
  const answer = probeLoopbackFastPath();
  if (answer.supported || answer.error.code !== 'WSAEOPNOTSUPP') return;
  const { code, message, errno, syscall } = answer.error;
  // Of its own, for the stack.
  throw new LoopbackFastPathError(code, message, { ...(errno && { errno }), ...(syscall && { syscall }) });
}
