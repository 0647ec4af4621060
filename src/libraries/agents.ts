import type * as http from 'node:http';
import type * as https from 'node:https';
import { connectArmed } from '../arming/ambient.js';
import { checkFastPathOption, type WithFastPathOptions } from '../arming/settings.js';

/** As for `http.Agent`; `fastPath` are the options of `enableLoopbackFastPath()`. */
export type FastPathAgentOptions = http.AgentOptions & WithFastPathOptions;

/** As for `https.Agent`; `fastPath` are the options of `enableLoopbackFastPath()`. */
export type FastPathHttpsAgentOptions = https.AgentOptions & WithFastPathOptions;

const HttpAgent: typeof http.Agent = onFirstUse(() => require('node:http').Agent);
const HttpsAgent: typeof https.Agent = onFirstUse(() => require('node:https').Agent);

/** An `http.Agent` whose connections are armed; through a proxy, the one to the proxy. */
export class FastPathAgent extends HttpAgent {
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
export class FastPathHttpsAgent extends HttpsAgent {
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
 * A class to extend, which becomes one of Node's when the first object is made: to load http
 * and https takes Node half as long as all else in an import of this package, and many a
 * program needs neither.
 */
function onFirstUse<Class extends abstract new (...args: never[]) => object>(load: () => Class): Class {
  function Base(...args: never[]): object {
    const Loaded = load();
    Object.setPrototypeOf(Base, Loaded);
    Object.setPrototypeOf(Base.prototype, Loaded.prototype);
    return Reflect.construct(Loaded, args, new.target);
  }
  return Base as unknown as Class;
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
