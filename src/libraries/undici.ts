import * as net from 'node:net';
import * as tls from 'node:tls';
import { checkFastPathOption, type WithFastPathOptions } from '../arming/settings.js';
import { wrongArgument } from '../native/errors.js';
import { connectArmed } from './connection.js';

// The shape of undici's `connect` option, written out: who has no undici could
// not compile against an import of its types. test/types.ts holds the two
// together.

/**
 * As for undici's own connector: the options of `net.connect()` and
 * `tls.connect()`, and undici's. `fastPath` are those of `enableLoopbackFastPath()`.
 */
export type FastPathConnectorOptions = (Partial<net.TcpNetConnectOpts> | tls.ConnectionOptions) &
  WithFastPathOptions & {
    /** Whether TLS may agree on HTTP/2. Default `false`. */
    readonly allowH2?: boolean | undefined;
    /** How many TLS sessions are kept for resumption. Default 100. */
    readonly maxCachedSessions?: number | null | undefined;
    /** A named pipe or Unix socket instead of a host and port. */
    readonly socketPath?: string | null | undefined;
    /** Milliseconds until a connection, with TLS, must be there; 0 for no limit. Default 10,000. */
    readonly timeout?: number | null | undefined;
    /** Default `true`. */
    readonly keepAlive?: boolean | null | undefined;
    /** Milliseconds. Default 60,000. */
    readonly keepAliveInitialDelay?: number | null | undefined;
  };

/** What undici asks a connector for. */
export interface FastPathConnectorRequest {
  readonly hostname: string;
  readonly host?: string;
  readonly protocol: string;
  readonly port: string;
  readonly servername?: string;
  readonly localAddress?: string | null;
  readonly httpSocket?: net.Socket;
}

/** A connector of undici. */
export type FastPathConnector = (
  request: FastPathConnectorRequest,
  callback: (...result: [null, net.Socket | tls.TLSSocket] | [Error, null]) => void,
) => void;

/**
 * Makes the `connect` option of undici's `Client`, `Pool` and `Agent`: the
 * connector that they have without it, armed.
 *
 * @throws {TypeError} `ERR_INVALID_ARG_TYPE` for wrong fast path options.
 */
export function fastPathConnector(options: FastPathConnectorOptions = {}): FastPathConnector {
  if (typeof options !== 'object' || options === null) throw wrongArgument('options', 'an object', options);
  const settings = checkFastPathOption(options);
  const { allowH2, maxCachedSessions, socketPath, timeout, keepAlive, keepAliveInitialDelay, fastPath, ...rest } =
    options;
  const { servername: givenName }: tls.ConnectionOptions = rest;
  const passedOn: object = rest;
  const sessions = new Map<string, Buffer>();

  return ({ hostname, host, protocol, port, servername, localAddress, httpSocket }, callback) => {
    const secure = protocol === 'https:';
    const name = servername || givenName || serverName(host ?? hostname);
    const session = sessions.get(name || hostname);
    const common = {
      // A TLSSocket takes no more at once.
      highWaterMark: (secure ? 16 : 64) * 1024,
      ...passedOn,
      ...(socketPath && { path: socketPath }),
      ...(localAddress && { localAddress }),
      host: hostname,
      port: Number(port || (secure ? 443 : 80)),
    };
    const socket = connectArmed(settings, () =>
      secure
        ? tls.connect({
            ...(session && { session }),
            ...common,
            servername: name,
            ALPNProtocols: allowH2 ? ['http/1.1', 'h2'] : ['http/1.1'],
            ...(httpSocket && { socket: httpSocket }),
          })
        : net.connect(common),
    );
    socket.setNoDelay(true);
    if (keepAlive !== false) socket.setKeepAlive(true, keepAliveInitialDelay ?? 60_000);
    if (secure) {
      socket.on('session', (session: Buffer) => {
        sessions.delete(name || hostname);
        sessions.set(name || hostname, session);
        const [oldest = ''] = sessions.keys();
        if (sessions.size > (maxCachedSessions ?? 100)) sessions.delete(oldest);
      });
    }

    const limit = timeout ?? 10_000;
    const timer =
      limit > 0 ? setTimeout(() => socket.destroy(connectTimeout(hostname, port, limit)), limit) : undefined;
    let told = false;
    const tell = (error: Error | null) => {
      if (told) return;
      told = true;
      clearTimeout(timer);
      if (error === null) callback(null, socket);
      else callback(error, null);
    };
    // The listener for errors stays: undici adds its own only later.
    socket.on('error', tell).once(secure ? 'secureConnect' : 'connect', () => tell(null));
  };
}

/** What TLS names the server in its greeting: nothing for an IP address. */
function serverName(host: string): string {
  const name = host.replace(/^\[(.*)\](:\d+)?$/, '$1').replace(/^([^:]*):\d+$/, '$1');
  return net.isIP(name) === 0 ? name : '';
}

/** Undici's code for it, which its retries look at. */
function connectTimeout(hostname: string, port: string, limit: number): Error {
  const error = new Error(`Connect Timeout Error (${hostname}:${port}, timeout: ${limit}ms)`);
  return Object.assign(error, { name: 'ConnectTimeoutError', code: 'UND_ERR_CONNECT_TIMEOUT' });
}
