import { inspect, types } from 'node:util';
import { type WinsockErrorName, winsockErrorName } from './winsock-errors.js';

/**
 * What `LoopbackFastPathError.code` can be: a Winsock name (or `WSA_<number>`
 * for a code without one) if the system refused, and for what the package itself
 * found:
 *
 * - `ERR_LOOPBACK_FAST_PATH_PLATFORM`: not Windows.
 * - `ERR_LOOPBACK_FAST_PATH_BINARY`: no native binary for this platform, or it
 *   would not load.
 * - `ERR_LOOPBACK_FAST_PATH_HOST`: the program that runs JavaScript here is not
 *   Node as far as the package needs it (libuv's functions, the handle of a
 *   socket).
 * - `ERR_LOOPBACK_FAST_PATH_TOO_LATE`: the socket's first connection attempt
 *   has begun, or it is connected or destroyed; the server listens already.
 * - `ERR_LOOPBACK_FAST_PATH_SKIPPED`: `required` is set, and the socket was left
 *   alone.
 * - `ERR_LOOPBACK_FAST_PATH_SHOULD_APPLY`: the option of that name threw, or
 *   returned no boolean.
 */
export type LoopbackFastPathErrorCode =
  | WinsockErrorName
  | `WSA_${number}`
  | 'ERR_LOOPBACK_FAST_PATH_PLATFORM'
  | 'ERR_LOOPBACK_FAST_PATH_BINARY'
  | 'ERR_LOOPBACK_FAST_PATH_HOST'
  | 'ERR_LOOPBACK_FAST_PATH_TOO_LATE'
  | 'ERR_LOOPBACK_FAST_PATH_SKIPPED'
  | 'ERR_LOOPBACK_FAST_PATH_SHOULD_APPLY';

/** A Winsock call that failed. */
export interface WinsockFailure {
  /** The call that failed. */
  readonly syscall: string;
  /** `WSAGetLastError()`, read right after it. */
  readonly errno: number;
  /** The system's text for it; empty where the system has none. */
  readonly message: string;
}

// Shared by every copy of the package in the process.
const BRAND = Symbol.for('loopback-fast-path.error');

/** Why the fast path could not be applied: thrown, emitted, or kept in a status. */
export class LoopbackFastPathError<Code extends LoopbackFastPathErrorCode = LoopbackFastPathErrorCode> extends Error {
  declare readonly name: 'LoopbackFastPathError';
  /** What happened, for a `switch`. */
  readonly code: Code;
  /** The number behind a Winsock code. */
  declare readonly errno?: number;
  /** The call that Winsock refused, such as `WSAIoctl`. */
  declare readonly syscall?: string;

  /** Public for tests of programs that handle it; otherwise the package makes it. */
  constructor(code: Code, message: string, details?: { cause?: unknown; errno?: number; syscall?: string }) {
    super(message, details && 'cause' in details ? { cause: details.cause } : undefined);
    this.code = code;
    if (details?.errno !== undefined) this.errno = details.errno;
    if (details?.syscall !== undefined) this.syscall = details.syscall;
  }
}

// On the prototype, where the first line of a stack trace looks for the name.
Object.defineProperties(LoopbackFastPathError.prototype, {
  name: { value: 'LoopbackFastPathError', writable: true, configurable: true },
  [BRAND]: { value: true },
});

/**
 * Whether a value is an error of this package, from whichever copy of it; with
 * `code`, whether it is that one.
 *
 * @throws {TypeError} `ERR_INVALID_ARG_TYPE` when `code` is not a string.
 */
export function isLoopbackFastPathError<Code extends LoopbackFastPathErrorCode = LoopbackFastPathErrorCode>(
  value: unknown,
  code?: Code,
): value is LoopbackFastPathError<Code> {
  if (code !== undefined && typeof code !== 'string') throw wrongArgument('code', 'a string', code);
  if (!types.isNativeError(value)) return false;
  try {
    return BRAND in value && (code === undefined || (value as { code?: unknown }).code === code);
  } catch {
    // A prototype that is a proxy may throw when asked.
    return false;
  }
}

/** The error that Node itself throws for a wrong argument. */
export function wrongArgument(name: string, expected: string, received: unknown): TypeError {
  let shown: string;
  try {
    shown = inspect(received, { depth: -1, customInspect: false });
  } catch {
    // An accessor of the object threw.
    shown = typeof received;
  }
  const kind = name.includes('.') ? 'property' : 'argument';
  const error = new TypeError(`The "${name}" ${kind} must be ${expected}. Received ${shown}`);
  return Object.assign(error, { code: 'ERR_INVALID_ARG_TYPE' as const });
}

/** What a user can do about the codes documented for the ioctl (E1 to E10). */
const ADVICE: { readonly [code in LoopbackFastPathErrorCode]?: string } = {
  WSA_IO_PENDING:
    'The call was answered as an asynchronous one, which it was not; update or remove the layered provider.',
  WSA_OPERATION_ABORTED: 'The socket was closed during the call; try again on a new one.',
  WSAEACCES: 'A policy or a port reservation forbids it; ask the administrator or use another port.',
  WSAEFAULT: 'The arguments could not be read, which a layered provider or security software can cause; report it.',
  WSAEINPROGRESS: 'Another blocking Winsock call is in progress; try again.',
  WSAEINTR: 'The call was interrupted; try again.',
  WSAEINVAL:
    'The system does not accept it for this socket, for example because it is connected already; enable it earlier.',
  WSAENETDOWN: 'The network subsystem has failed; restart it or the machine.',
  WSAENOTSOCK: 'The socket was closed without Node knowing; look for code that closes handles of others.',
  WSAEOPNOTSUPP:
    'This system (Windows 7, Server 2008 R2 or Wine) or its transport provider has no loopback fast path; traffic takes the ordinary path.',
};

/** The typed error for a Winsock call that failed. */
export function winsockError({ errno, message, syscall }: WinsockFailure): LoopbackFastPathError {
  const code = winsockErrorName(errno);
  // Windows breaks its longer texts into lines.
  const text = message === '' ? '' : `: ${message.replace(/\s*[\r\n]\s*/g, ' ')}`;
  const advice = ADVICE[code] ?? `Look ${errno} up among the Windows Sockets error codes.`;
  return new LoopbackFastPathError(code, `${syscall} ${code} (${errno})${text}. ${advice}`, { errno, syscall });
}

/** Any thrown value as an error of this package. */
export function asError(cause: unknown): LoopbackFastPathError {
  if (cause instanceof LoopbackFastPathError) return cause;
  return new LoopbackFastPathError(
    'ERR_LOOPBACK_FAST_PATH_HOST',
    'The handle under the socket or server is not what Node puts there, so its SOCKET cannot be reached.',
    { cause },
  );
}
