import type { Server, Socket } from 'node:net';
import type { Handle } from '../arming/apply.js';
import { enableConnecting } from '../arming/client.js';
import { interceptEverySocket, type Treatment } from '../arming/intercept.js';
import { applyToSharedHandle, enableListening } from '../arming/server.js';
import { checkOptions, type LoopbackFastPathOptions, type Settings } from '../arming/settings.js';
import { isSwitchedOff, isTraced } from '../arming/switch.js';
import type { LoopbackFastPathErrorCode } from '../native/errors.js';
import { wrongArgument } from '../native/errors.js';
import { probeLoopbackFastPath } from '../native/probe.js';

/** As for one socket, except `required`: what is done for every socket is best effort. */
export type LoopbackFastPathRegisterOptions = Omit<LoopbackFastPathOptions, 'required'>;

/**
 * Arms every TCP client and server of this thread from now on, best effort and
 * without warnings: what `node --import loopback-fast-path/register` does, with
 * options. A socket for which another function of the package was called is left
 * to that. In a cluster's primary the handles are armed that it shares with its
 * workers.
 *
 * Does nothing where it cannot do anything: off Windows, with
 * `LOOPBACK_FAST_PATH=0`, and once the system has said that it does not know the
 * ioctl (E10).
 *
 * @returns A function that takes it back and leaves `net` as it was found;
 * sockets that were armed until then stay armed.
 * @throws {TypeError} `ERR_INVALID_ARG_TYPE` for a wrong argument, `required`
 * among them.
 */
export function registerLoopbackFastPath(options?: LoopbackFastPathRegisterOptions): () => void {
  const settings = { ...checkOptions(options), everySocket: true };
  if (settings.required) throw wrongArgument('options.required', 'left out: this is best effort', true);
  if (process.platform !== 'win32' || isSwitchedOff(settings)) return () => {};
  return interceptEverySocket(() => treatment(settings));
}

/** What the interception does with each socket; false once the system has said no. */
export function treatment(settings: Settings = { ...checkOptions(undefined), everySocket: true }): Treatment {
  const ifPossible =
    <Subject>(treat: (subject: Subject, settings: Settings) => void) =>
    (subject: Subject): boolean => {
      const possible = isPossible();
      if (possible) treat(subject, settings);
      return possible;
    };
  return {
    client: ifPossible<Socket>(enableConnecting),
    server: ifPossible<Server>(enableListening),
    sharedHandle: ifPossible<object>((handle, settings) => applyToSharedHandle(handle as Handle, settings)),
  };
}

/** The answers of a probe after which no socket can be treated. */
const HOPELESS: ReadonlySet<LoopbackFastPathErrorCode> = new Set<LoopbackFastPathErrorCode>([
  'WSAEOPNOTSUPP',
  'ERR_LOOPBACK_FAST_PATH_BINARY',
  'ERR_LOOPBACK_FAST_PATH_HOST',
]);

function isPossible(): boolean {
  const probe = probeLoopbackFastPath();
  // Who asked for a trace wants to read it of every socket.
  return probe.supported || !HOPELESS.has(probe.error.code) || isTraced();
}
