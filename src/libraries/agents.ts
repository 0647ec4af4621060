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

  override createConnection(
    ...args: Parameters<http.Agent['createConnection']>
  ): ReturnType<http.Agent['createConnection']> {
    return connectArmed(checkFastPathOption(args[0]), () => super.createConnection(...args));
  }
}

/** An `https.Agent` whose connections are armed; through a proxy, the one to the proxy. */
export class FastPathHttpsAgent extends https.Agent {
  /** @throws {TypeError} `ERR_INVALID_ARG_TYPE` for wrong fast path options. */
  constructor(options?: FastPathHttpsAgentOptions) {
    checkFastPathOption(options);
    super(options);
  }

  override createConnection(
    ...args: Parameters<https.Agent['createConnection']>
  ): ReturnType<https.Agent['createConnection']> {
    return connectArmed(checkFastPathOption(args[0]), () => super.createConnection(...args));
  }
}
