// What every entry point of the package exports.

export type { LoopbackFastPathOptions, LoopbackFastPathTarget } from './arguments.js';
export { isLoopbackFastPathError, LoopbackFastPathError, type LoopbackFastPathErrorCode } from './errors.js';
export {
  disableLoopbackFastPath,
  enableLoopbackFastPath,
  getLoopbackFastPathStatus,
  type LoopbackFastPathProbe,
  probeLoopbackFastPath,
  tryEnableLoopbackFastPath,
} from './fast-path.js';
export type { SkipReason } from './policy.js';
export type { LoopbackFastPathStatus, LoopbackFastPathStatusMessage } from './status.js';
export { WINSOCK_ERROR_CODES, type WinsockErrorName } from './winsock-errors.js';
