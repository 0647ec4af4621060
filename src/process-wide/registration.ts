import { addRegistration } from '../arming/ambient.js';
import { checkOptions, type LoopbackFastPathOptions } from '../arming/settings.js';
import { isSwitchedOff } from '../arming/switch.js';
import { wrongArgument } from '../native/errors.js';

/** The options of `enableLoopbackFastPath()` except `required`: a registration is best effort. */
export type LoopbackFastPathRegisterOptions = Omit<LoopbackFastPathOptions, 'required'>;

/**
 * Arms every TCP client and server of this thread from now on, best effort and
 * without warnings: what `node --require loopback-fast-path/register` does, with
 * options. A call for one socket takes precedence, and so does the context of
 * `runWithLoopbackFastPath()`. If there are several registrations, each is asked, in the
 * order in which they were made, until one applies to the socket. The primary of a
 * cluster arms the handles that it shares with its workers.
 *
 * Does nothing off Windows, with `LOOPBACK_FAST_PATH=0`, and once the system has
 * answered that it does not know the ioctl (`WSAEOPNOTSUPP`).
 *
 * @returns A function that takes it back and leaves `net` as it was found;
 * sockets that were armed until then stay armed.
 * @throws {TypeError} `ERR_INVALID_ARG_TYPE` for a wrong argument, `required`
 * among them.
 */
export function registerLoopbackFastPath(options?: LoopbackFastPathRegisterOptions): () => void {
  const settings = checkOptions(options);
  if (settings.required) throw wrongArgument('options.required', 'left out: this is best effort', true);
  if (process.platform !== 'win32' || isSwitchedOff(settings)) return () => {};
  return addRegistration({ ...settings });
}
