// LOOPBACK_FAST_PATH in the environment: the word of the person who runs the program,
// without a change to its code.

import type { Settings } from './settings.js';

function userSetting(): string | undefined {
  const { LOOPBACK_FAST_PATH } = process.env;
  return LOOPBACK_FAST_PATH;
}

/** Whether the user wants to see what became of each socket (`trace`), from the start. */
export const isTraced: boolean = userSetting() === 'trace';

let off: boolean | undefined;

/**
 * Whether everything is switched off (`0`). `required` is a promise to the program,
 * which no switch breaks. Read when it is first needed, because a program may set it
 * itself after it has imported the package, and not again: asking the system takes
 * longer than all the rest of arming a socket.
 */
export function isSwitchedOff(settings: Settings): boolean {
  if (settings.required) return false;
  off ??= userSetting() === '0';
  return off;
}
