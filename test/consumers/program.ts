// A program that uses everything the package exports. It is compiled, strictly, by
// several versions of TypeScript in every module system, and run by what compiles on
// the fly. Prints one line.

import { deepEqual, equal, ok, throws } from 'node:assert/strict';
import { once } from 'node:events';
import * as http from 'node:http';
import type * as https from 'node:https';
import * as net from 'node:net';
import { text } from 'node:stream/consumers';
import {
  createFastPathConnection,
  disableLoopbackFastPath,
  enableLoopbackFastPath,
  FastPathAgent,
  type FastPathAgentOptions,
  FastPathHttpsAgent,
  type FastPathHttpsAgentOptions,
  fastPathConnector,
  getLoopbackFastPathStatus,
  isLoopbackFastPathError,
  type LoopbackFastPathEndpoint,
  LoopbackFastPathError,
  type LoopbackFastPathErrorCode,
  type LoopbackFastPathOptions,
  type LoopbackFastPathProbe,
  type LoopbackFastPathRegisterOptions,
  type LoopbackFastPathStatus,
  type LoopbackFastPathStatusMessage,
  type LoopbackFastPathTarget,
  probeLoopbackFastPath,
  registerLoopbackFastPath,
  runWithLoopbackFastPath,
  type SkipReason,
  tryEnableLoopbackFastPath,
  WINSOCK_ERROR_CODES,
  type WinsockErrorName,
  type WithFastPathOptions,
} from 'loopback-fast-path';
import { useBinary } from 'loopback-fast-path/custom';
import { unregister } from 'loopback-fast-path/register';
import * as arm64 from 'loopback-fast-path/win32-arm64';
import * as ia32 from 'loopback-fast-path/win32-ia32';
import * as x64 from 'loopback-fast-path/win32-x64';

const shouldApply = ({ side, address, port }: LoopbackFastPathEndpoint): boolean =>
  side === 'client' || (address.startsWith('127.') && port > 0);
const options: LoopbackFastPathOptions = { ipv6: 'dual-stack', shouldApply };
const registered: LoopbackFastPathRegisterOptions = options;
const beside: WithFastPathOptions = { fastPath: options };

function say(status: LoopbackFastPathStatus): SkipReason | LoopbackFastPathErrorCode | 'off' | 'armed' | 'applied' {
  if (status.state === 'skipped') return status.reason;
  return status.state === 'failed' ? status.error.code : status.state;
}

function told({ target, status, port }: LoopbackFastPathStatusMessage): [boolean, string, number | undefined] {
  return [target instanceof net.Socket, say(status), port];
}

async function main(): Promise<void> {
  // The same functions, whichever way leads to them.
  for (const entry of [x64, arm64, ia32]) equal(entry.enableLoopbackFastPath, enableLoopbackFastPath);
  throws(() => useBinary(0 as never), TypeError);
  registerLoopbackFastPath(registered)();
  unregister();

  const probe: LoopbackFastPathProbe = probeLoopbackFastPath();
  const expected = probe.supported ? 'armed' : probe.error.code;
  const name: WinsockErrorName = 'WSAEOPNOTSUPP';
  equal(WINSOCK_ERROR_CODES[name], 10045);

  const server: net.Server = net.createServer((socket) => socket.pipe(socket));
  equal(tryEnableLoopbackFastPath(server, { required: true, ...options }), probe.supported);
  equal(say(getLoopbackFastPathStatus(server)), expected);
  disableLoopbackFastPath(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as net.AddressInfo;

  const target: LoopbackFastPathTarget = net.connect(port, '127.0.0.1');
  try {
    enableLoopbackFastPath(target);
    ok(probe.supported);
  } catch (error) {
    ok(error instanceof LoopbackFastPathError && isLoopbackFastPathError(error, error.code));
    equal(error.code, expected);
  }
  const sockets = [
    target,
    createFastPathConnection({ port, host: '127.0.0.1', ...beside }),
    runWithLoopbackFastPath(options, (to: number) => net.connect(to, '127.0.0.1'), port),
    fastPathConnector((to: number) => net.connect(to, '127.0.0.1'), options)(port),
  ];
  for (const socket of sockets) equal(await text(socket.end('ping')), 'ping');
  server.close();

  const pong = http.createServer((_request, response) => response.end('pong')).listen(0, '127.0.0.1');
  await once(pong, 'listening');
  const forAgent: FastPathAgentOptions = { keepAlive: false, ...beside };
  const forHttps: FastPathHttpsAgentOptions = { ...forAgent, rejectUnauthorized: false };
  const [agent, httpsAgent]: [http.Agent, https.Agent] = [
    new FastPathAgent(forAgent),
    new FastPathHttpsAgent(forHttps),
  ];
  const request = http.get({ port: (pong.address() as net.AddressInfo).port, host: '127.0.0.1', agent });
  const [response] = (await once(request, 'response')) as [http.IncomingMessage];
  equal(await text(response), 'pong');
  httpsAgent.destroy();
  pong.close();
  deepEqual(told({ target, status: { state: 'off' }, port }), [true, 'off', port]);
  console.log('everything was used');
}

void main();
