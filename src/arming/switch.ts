import type { Settings } from './settings.js';

/**
 * LOOPBACK_FAST_PATH in the environment: the word of the person who runs the
 * program, without a change to its code. Read each time, because a program may
 * set it itself after it has imported the package.
 */
function userSetting(): string | undefined {
  const { LOOPBACK_FAST_PATH } = process.env;
  return LOOPBACK_FAST_PATH;
}

/**
 * Whether everything is switched off (`0`). `required` is a promise to the
 * program, which no switch breaks.
 */
export function isSwitchedOff(settings: Settings): boolean {
  return !settings.required && userSetting() === '0';
}

/** Whether the user wants to see what became of each socket (`trace`). */
export function isTraced(): boolean {
  return userSetting() === 'trace';
}
