import * as net from 'node:net';
import { binaryPlaces } from './binary.js';
import { LoopbackFastPathError, type LoopbackFastPathErrorCode, type WinsockFailure } from './errors.js';

/** What native/binding.cc exports. Each function throws a TypeError for a wrong argument. */
export interface NativeBinding {
  /** The first function of libuv that the host lacks; then only `probe` and `isLayered` work. */
  readonly missingHostFunction?: string;

  /**
   * SIO_LOOPBACK_FAST_PATH on the SOCKET of a handle. Where there is none yet,
   * libuv makes it and binds it to ANY:0 of `family`, which is what its connect
   * would do next. Where there is one, it is asked for its own family.
   *
   * @param ipv6 Which IPv6 SOCKETs get it: 0 none, 1 IPv6-only ones, 2 dual-stack
   * ones too.
   * @returns The IP version of the SOCKET that has it now, why it was left alone, or
   * the Winsock call that failed.
   */
  setFastPath(
    handle: object,
    on: boolean,
    family: 4 | 6,
    ipv6: 0 | 1 | 2,
  ): WinsockFailure | 'not-tcp' | 'ipv6' | 'dual-stack' | 4 | 6;

  /** The same on a SOCKET of its own, closed again. */
  probe(family: 4 | 6, on: boolean): WinsockFailure | undefined;

  /** Whether a layered provider sits above the system's own for such sockets. */
  isLayered(family: 4 | 6): WinsockFailure | boolean;

  /** SIO_TCP_INFO of a connected handle: a TCP_INFO_v0, as the system wrote it. */
  tcpInfo(handle: object): WinsockFailure | 'not-tcp' | Buffer;
}

/** Makes the error for a binding that cannot be had; each throw wants its own stack. */
type Refusal = () => LoopbackFastPathError;

let loaded: NativeBinding | Refusal | undefined;

/**
 * The native binding, loaded at the first call.
 *
 * @throws {LoopbackFastPathError} `…_PLATFORM`, `…_BINARY` or `…_HOST`.
 */
export function native(): NativeBinding {
  loaded ??= load();
  if (typeof loaded === 'function') throw loaded();
  return loaded;
}

function load(): NativeBinding | Refusal {
  if (process.platform !== 'win32') {
    return refusal(
      'ERR_LOOPBACK_FAST_PATH_PLATFORM',
      `The loopback fast path exists on Windows only; this is ${process.platform}. Use tryEnableLoopbackFastPath() in programs that run elsewhere too.`,
    );
  }
  const tried: string[] = [];
  const causes: unknown[] = [];
  for (const [what, require] of binaryPlaces()) {
    try {
      return checkHost(require() as NativeBinding);
    } catch (cause) {
      const attempt = `${what} (${firstLine(cause)})`;
      if (!tried.includes(attempt)) tried.push(attempt);
      causes.push(cause);
      if (isPermissionError(cause)) break;
    }
  }
  return refusal(
    'ERR_LOOPBACK_FAST_PATH_BINARY',
    `No native binary could be loaded for ${process.platform}-${process.arch}, Node ${process.version}. Tried ${tried.join(', ')}. ${fixFor(causes)}`,
    causes[0],
  );
}

/** What a user can do where loading ended with these errors. */
function fixFor(causes: readonly unknown[]): string {
  if (causes.some(isPermissionError)) return 'The permission model forbids addons: start Node with --allow-addons.';
  if (causes.some(isBlocked))
    return 'A policy or an antivirus product of this machine blocks the file, and reinstalling does not help: docs/prebuilds.md of this package says what does.';
  return 'Reinstall the package with its prebuilds folder, or build it from source with node-gyp; a bundler must copy the .node file. Where the file is there, a policy or an antivirus product may block it.';
}

/** @throws {TypeError} where it is something else. */
function checkHost(binding: NativeBinding): NativeBinding | Refusal {
  if (typeof binding.setFastPath !== 'function' || typeof binding.probe !== 'function') {
    throw new TypeError('not a binary of this package');
  }
  const missing = missingOfHost(binding);
  if (missing === undefined) return binding;
  return refusal(
    'ERR_LOOPBACK_FAST_PATH_HOST',
    `${process.execPath} ${missing}, so its sockets cannot be reached; those of Node and Electron can.`,
  );
}

/** What the host lacks of libuv, or of Node's own sockets above it: another runtime may export libuv and not use it. */
function missingOfHost({ missingHostFunction }: NativeBinding): string | undefined {
  if (missingHostFunction !== undefined) return `does not export ${missingHostFunction}`;
  if (!('_createServerHandle' in net)) return 'has no net._createServerHandle()';
  if (!('_listen2' in net.Server.prototype)) return 'has no _listen2() in net.Server';
  return undefined;
}

function refusal(...[code, message, cause]: [LoopbackFastPathErrorCode, string, unknown?]): Refusal {
  return () => new LoopbackFastPathError(code, message, cause === undefined ? undefined : { cause });
}

function isPermissionError(cause: unknown): boolean {
  // Bundlers wrap the error, and then only the text is left.
  const { code, message } = (cause ?? {}) as Partial<NodeJS.ErrnoException>;
  return code === 'ERR_DLOPEN_DISABLED' || /loading addons is disabled/.test(String(message));
}

/**
 * Whether Windows says that somebody wants this file not to run: an application control
 * policy (4551), a group policy (1260), an antivirus product (225, 226). Node passes on
 * the text alone, which is in the language of Windows: another one is not recognised.
 */
function isBlocked(cause: unknown): boolean {
  return /Application Control policy has blocked|blocked by group policy|contains a virus/i.test(messageOf(cause));
}

function messageOf(cause: unknown): string {
  return String(cause instanceof Error ? cause.message : cause);
}

/** What an error says, without the list of who required whom, or the file, that follows. */
function firstLine(cause: unknown): string {
  const [first = '', second = ''] = messageOf(cause)
    .split(/[\r\n]+/)
    .map((line) => line.trim());
  return first.endsWith(':') ? `${first} ${second}` : first;
}
