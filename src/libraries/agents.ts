import * as http from 'node:http';
import * as https from 'node:https';
import { connectArmed } from '../arming/ambient.js';
import { checkFastPathOption, type WithFastPathOptions } from '../arming/settings.js';

/** As for `http.Agent`; `fastPath` are the options of `enableLoopbackFastPath()`. */
export type FastPathAgentOptions = http.AgentOptions & WithFastPathOptions;

/** As for `https.Agent`; `fastPath` are the options of `enableLoopbackFastPath()`. */
export type FastPathHttpsAgentOptions = https.AgentOptions & WithFastPathOptions;

/** An `http.Agent` whose connections are armed; through a proxy, the one to the proxy. */
export class FastPathAgent extends http.Agent {
  /** @throws {TypeError} `ERR_INVALID_ARG_TYPE` for wrong fast path options. */
  constructor(options?: FastPathAgentOptions) {
    checkFastPathOption(options);
    super(options);
  }

  static {
    armConnections(FastPathAgent.prototype);
  }
}

/** An `https.Agent` whose connections are armed; through a proxy, the one to the proxy. */
export class FastPathHttpsAgent extends https.Agent {
  /** @throws {TypeError} `ERR_INVALID_ARG_TYPE` for wrong fast path options. */
  constructor(options?: FastPathHttpsAgentOptions) {
    checkFastPathOption(options);
    super(options);
  }

  static {
    armConnections(FastPathHttpsAgent.prototype);
  }
}

/**
 * Overrides createConnection(). Not in the class, where our declarations would show it:
 * the types of Node that TypeScript 5.0 can read do not know the method.
 */
function armConnections(prototype: http.Agent): void {
  const parent: http.Agent = Object.getPrototypeOf(prototype);
  const createConnection = function (this: http.Agent, ...args: Parameters<http.Agent['createConnection']>) {
    return connectArmed(checkFastPathOption(args[0]), () => Reflect.apply(parent.createConnection, this, args));
  };
  Object.defineProperty(prototype, 'createConnection', { value: createConnection, configurable: true, writable: true });
}
