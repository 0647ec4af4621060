import { connectArmed } from '../arming/ambient.js';
import { checkOptions, type LoopbackFastPathOptions } from '../arming/settings.js';
import { wrongArgument } from '../native/errors.js';

/**
 * Makes the `connect` option of undici's `Client`, `Pool` and `Agent`: the connector
 * that it is given, with the connection armed. Everything else, such as limits, TLS,
 * HTTP/2 and errors, is the connector's own.
 *
 * @param connector As a rule `undici.buildConnector(options)`, of the undici that will
 * use it.
 * @param options As for `enableLoopbackFastPath()`.
 * @throws {TypeError} `ERR_INVALID_ARG_TYPE` for a wrong argument: plain options among
 * them, which only undici can make a connector of.
 */
export function fastPathConnector<Connector extends (...args: never[]) => unknown>(
  connector: Connector,
  options?: LoopbackFastPathOptions,
): Connector {
  if (typeof connector !== 'function') {
    throw wrongArgument('connector', 'a function, such as undici.buildConnector(options)', connector);
  }
  const settings = checkOptions(options);
  const armed = (...args: Parameters<Connector>) => connectArmed(settings, () => connector(...args));
  return armed as Connector;
}
