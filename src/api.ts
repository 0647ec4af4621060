// What every entry point of the package exports.

export {
  FastPathAgent,
  type FastPathAgentOptions,
  FastPathHttpsAgent,
  type FastPathHttpsAgentOptions,
} from './agents.js';
export type {
  LoopbackFastPathEndpoint,
  LoopbackFastPathOptions,
  LoopbackFastPathTarget,
  WithFastPathOptions,
} from './arguments.js';
export { createFastPathConnection } from './connection.js';
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
export { type LoopbackFastPathRegisterOptions, registerLoopbackFastPath } from './process-wide.js';
export type { LoopbackFastPathStatus, LoopbackFastPathStatusMessage } from './status.js';
export {
  type FastPathConnector,
  type FastPathConnectorOptions,
  type FastPathConnectorRequest,
  fastPathConnector,
} from './undici.js';
export { WINSOCK_ERROR_CODES, type WinsockErrorName } from './winsock-errors.js';
