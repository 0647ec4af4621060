// Compiled, not run: what the types of the package promise.

import * as http from 'node:http';
import type * as net from 'node:net';
import * as tls from 'node:tls';
import {
  createFastPathConnection,
  disableLoopbackFastPath,
  enableLoopbackFastPath,
  FastPathAgent,
  FastPathHttpsAgent,
  fastPathConnector,
  type getLoopbackFastPathStatus,
  isLoopbackFastPathError,
  type LoopbackFastPathError,
  type LoopbackFastPathStatus,
  probeLoopbackFastPath,
  registerLoopbackFastPath,
  type tryEnableLoopbackFastPath,
  WINSOCK_ERROR_CODES,
} from 'loopback-fast-path';
import * as undici from 'undici';
import type { ClientOptions as WebSocketOptions } from 'ws';

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function same<A, B>(_equal: Equal<A, B>): void {}

export function targets(socket: net.Socket, server: net.Server): void {
  same<ReturnType<typeof enableLoopbackFastPath>, void>(true);
  enableLoopbackFastPath(socket);
  enableLoopbackFastPath(server, { ipv6: 'dual-stack', required: true });
  enableLoopbackFastPath(http.createServer(), { ipv6: true });
  disableLoopbackFastPath(tls.connect(1));
  same<ReturnType<typeof tryEnableLoopbackFastPath>, boolean>(true);
  // @ts-expect-error not a socket
  enableLoopbackFastPath({});
  // @ts-expect-error not a choice
  enableLoopbackFastPath(socket, { ipv6: 'yes' });
}

export function statuses(status: LoopbackFastPathStatus): string {
  switch (status.state) {
    case 'off':
    case 'armed':
      return status.state;
    case 'applied':
      same<typeof status.family, 4 | 6>(true);
      return status.address;
    case 'skipped':
      return status.reason;
    case 'failed':
      same<typeof status.error, LoopbackFastPathError>(true);
      return status.error.message;
    default:
      return status satisfies never;
  }
}

export function codes(error: LoopbackFastPathError): number {
  switch (error.code) {
    case 'WSAEOPNOTSUPP':
    case 'ERR_LOOPBACK_FAST_PATH_PLATFORM':
    case 'WSA_12345':
      return error.errno ?? 0;
    // @ts-expect-error no such code
    case 'WSAENOTACODE':
      return 1;
    default:
      return 2;
  }
}

export function narrowing(value: unknown): void {
  if (isLoopbackFastPathError(value, 'WSAEINVAL')) same<typeof value.code, 'WSAEINVAL'>(true);
  if (isLoopbackFastPathError(value)) same<typeof value, LoopbackFastPathError>(true);
  // @ts-expect-error no such code
  isLoopbackFastPathError(value, 'EINVAL');
  const probe = probeLoopbackFastPath();
  if (!probe.supported) same<typeof probe.error, LoopbackFastPathError>(true);
  same<(typeof WINSOCK_ERROR_CODES)['WSAEOPNOTSUPP'], 10045>(true);
  // @ts-expect-error frozen
  WINSOCK_ERROR_CODES.WSAEINVAL = 1;
  same<ReturnType<typeof getLoopbackFastPathStatus>, LoopbackFastPathStatus>(true);
}

/** What libraries take a function or an agent for. */
export function factories(): unknown[] {
  const connect: typeof net.createConnection = createFastPathConnection;
  const request: http.RequestOptions = { createConnection: createFastPathConnection, agent: new FastPathAgent() };
  const webSocket: WebSocketOptions = { agent: new FastPathHttpsAgent({ keepAlive: true, ca: '' }) };
  const connector: undici.buildConnector.connector = fastPathConnector(undici.buildConnector({}));
  const dispatcher: undici.Agent.Options = { connect: fastPathConnector(undici.buildConnector({ timeout: 1 })) };
  const client: undici.Client.Options = { connect: fastPathConnector(undici.buildConnector(), { required: true }) };
  same<ReturnType<typeof registerLoopbackFastPath>, () => void>(true);
  registerLoopbackFastPath({ ipv6: true, shouldApply: ({ side, port }) => side === 'client' && port === 6379 });
  // @ts-expect-error what is done for every socket is best effort
  registerLoopbackFastPath({ required: true });
  // @ts-expect-error a promise is no answer
  registerLoopbackFastPath({ shouldApply: async () => true });
  createFastPathConnection({ port: 1, fastPath: { ipv6: true } }, () => {});
  createFastPathConnection({ path: 'pipe' }).end();
  createFastPathConnection(1, '127.0.0.1', () => {}).end();
  createFastPathConnection(1, () => {}).end();
  createFastPathConnection('pipe', () => {}).end();
  same<ReturnType<typeof createFastPathConnection>, net.Socket>(true);
  // @ts-expect-error not a port
  createFastPathConnection({ port: {} });
  // @ts-expect-error not an option
  new FastPathAgent({ fastPath: { always: true } });
  return [connect, request, webSocket, connector, dispatcher, client];
}
