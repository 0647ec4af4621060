import type { ClientRequestArgs } from 'node:http';
import * as net from 'node:net';
import { connectArmed } from '../arming/ambient.js';
import { checkFastPathOption, type WithFastPathOptions } from '../arming/settings.js';

/**
 * `net.createConnection()`, armed, in all its call forms; where a library takes
 * a function that connects, it takes this one. A failure to
 * apply the fast path is the status of the socket, and with `required` its `'error'`:
 * it is not thrown, on any system.
 *
 * @param options As for `net.createConnection()`; `fastPath` are the options of
 * `enableLoopbackFastPath()`.
 * @param connectionListener Called once, on `'connect'`.
 * @throws {TypeError} `ERR_INVALID_ARG_TYPE` for wrong fast path options, and
 * what Node itself throws.
 */
export function createFastPathConnection(
  options: net.NetConnectOpts & WithFastPathOptions,
  connectionListener?: () => void,
): net.Socket;
export function createFastPathConnection(port: number, host?: string, connectionListener?: () => void): net.Socket;
export function createFastPathConnection(port: number, connectionListener?: () => void): net.Socket;
export function createFastPathConnection(path: string, connectionListener?: () => void): net.Socket;
/** As the option `createConnection` of `http.request()`. */
export function createFastPathConnection(
  options: ClientRequestArgs & WithFastPathOptions,
  connectionListener?: (...args: never[]) => void,
): net.Socket;
export function createFastPathConnection(...args: unknown[]): net.Socket {
  return connectArmed(checkFastPathOption(args[0]), () => Reflect.apply(net.createConnection, net, args));
}
