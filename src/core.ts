// dist/core.cjs: the one file with everything in it, which every entry point,
// the preload module and the command share. What users get of it is in api.ts.

import { isTraced } from './arming/switch.js';
import { startTrace } from './process-wide/trace.js';

export { addRegistration, everything } from './arming/ambient.js';
export type { LoopbackFastPathTarget } from './arming/handle.js';
export type { SkipReason } from './arming/policy.js';
export type {
  LoopbackFastPathEndpoint,
  LoopbackFastPathOptions,
  WithFastPathOptions,
} from './arming/settings.js';
export { checkOptions } from './arming/settings.js';
export type { LoopbackFastPathStatus, LoopbackFastPathStatusMessage } from './arming/status.js';
export * from './fast-path.js';
export * from './libraries/agents.js';
export { createFastPathConnection } from './libraries/connection.js';
export * from './libraries/undici.js';
export { carryBinary, useBinary } from './native/binary.js';
export { type NativeBinding, native } from './native/binding.js';
export {
  isLoopbackFastPathError,
  LoopbackFastPathError,
  type LoopbackFastPathErrorCode,
  winsockError,
} from './native/errors.js';
export { type LoopbackFastPathProbe, probeLoopbackFastPath } from './native/probe.js';
export { WINSOCK_ERROR_CODES, type WinsockErrorName } from './native/winsock-errors.js';
export * from './process-wide/context.js';
export * from './process-wide/registration.js';

if (isTraced) startTrace();
