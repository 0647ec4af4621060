// Nothing documented tells whether a connection is on the fast path (B13). What
// Windows counts of each connection might: bytes that skip the network layer may not
// be counted, or have no round-trip time. So this looks, and does not judge.

import { once } from 'node:events';
import * as net from 'node:net';
import { enableLoopbackFastPath, type NativeBinding, winsockError } from '../core.js';
import { type Refused, refused } from './refused.js';

/** The fields of TCP_INFO_v0 by Windows' names, with their place in it. */
const FIELDS = {
  State: ['u32', 0],
  Mss: ['u32', 4],
  ConnectionTimeMs: ['u64', 8],
  TimestampsEnabled: ['u8', 16],
  RttUs: ['u32', 20],
  MinRttUs: ['u32', 24],
  BytesInFlight: ['u32', 28],
  Cwnd: ['u32', 32],
  SndWnd: ['u32', 36],
  RcvWnd: ['u32', 40],
  RcvBuf: ['u32', 44],
  BytesOut: ['u64', 48],
  BytesIn: ['u64', 56],
  BytesReordered: ['u32', 64],
  BytesRetrans: ['u32', 68],
  FastRetrans: ['u32', 72],
  DupAcksIn: ['u32', 76],
  TimeoutEpisodes: ['u32', 80],
  SynRetrans: ['u8', 84],
} as const;

export type TcpInfo = { readonly [name in keyof typeof FIELDS]: number };
export const TCP_INFO_FIELDS = Object.keys(FIELDS) as (keyof TcpInfo)[];

/** The two ends of one connection. */
export interface EndsInfo {
  readonly client: TcpInfo | Refused;
  readonly server: TcpInfo | Refused;
}

/** A connection without the fast path and one with it on both ends, after the same traffic. */
export interface TcpInfoPair {
  /** Sent by the client in one go. */
  readonly bytes: number;
  /** Of 64 bytes. */
  readonly roundTrips: number;
  readonly plain: EndsInfo | Refused;
  readonly armed: EndsInfo | Refused;
}

const BYTES = 1024 * 1024;
const ROUND_TRIPS = 100;
const MESSAGE = Buffer.alloc(64);
const LIMIT_MS = 10_000;

export async function compareTcpInfo(binding: NativeBinding): Promise<TcpInfoPair> {
  const plain = await infoOfConnection(binding, false);
  const armed = await infoOfConnection(binding, true);
  return { bytes: BYTES, roundTrips: ROUND_TRIPS, plain, armed };
}

async function infoOfConnection(binding: NativeBinding, armed: boolean): Promise<EndsInfo | Refused> {
  const server = net.createServer();
  const client = new net.Socket();
  const sockets = [client];
  let limit: NodeJS.Timeout | undefined;
  try {
    // Rather none than a plain one under that name.
    if (armed) for (const end of [server, client]) enableLoopbackFastPath(end, { required: true });
    const broken = new Promise<never>((_resolve, reject) => {
      limit = setTimeout(() => reject(new Error(`It stood still for ${LIMIT_MS / 1000} s.`)), LIMIT_MS);
      server.on('error', reject).on('connection', (socket) => socket.on('error', reject));
      client.on('error', reject);
    });
    const connected = once(server, 'connection') as Promise<[net.Socket]>;
    server.listen(0, '127.0.0.1', () => client.connect((server.address() as net.AddressInfo).port, '127.0.0.1'));
    const [accepted] = await Promise.race([broken, connected]);
    sockets.push(accepted);
    await Promise.race([broken, exchange(client, accepted)]);
    return { client: infoOf(binding, client), server: infoOf(binding, accepted) };
  } catch (error) {
    return refused(error as NodeJS.ErrnoException);
  } finally {
    clearTimeout(limit);
    for (const socket of sockets) socket.destroy();
    server.close();
  }
}

/** The same for every connection: all in one direction first, then there and back. */
async function exchange(client: net.Socket, server: net.Socket): Promise<void> {
  await send(client, server, Buffer.alloc(BYTES));
  for (let i = 0; i < ROUND_TRIPS; ++i) {
    await send(client, server, MESSAGE);
    await send(server, client, MESSAGE);
  }
}

/** Sends, and waits until all of it is there. */
function send(from: net.Socket, to: net.Socket, data: Buffer): Promise<void> {
  return new Promise((resolve) => {
    let left = data.length;
    const receive = (chunk: Buffer) => {
      left -= chunk.length;
      if (left > 0) return;
      to.off('data', receive);
      resolve();
    };
    to.on('data', receive);
    from.write(data);
  });
}

function infoOf(binding: NativeBinding, socket: net.Socket): TcpInfo | Refused {
  const { _handle: handle } = socket as net.Socket & { _handle: object };
  const answer = binding.tcpInfo(handle);
  if (answer === 'not-tcp') return { code: 'UNKNOWN', message: 'The SOCKET was not found.' };
  if (Buffer.isBuffer(answer)) return parseTcpInfo(answer);
  // Not with the advice for the ioctl, which this is not about.
  const { code } = winsockError(answer);
  const text = answer.message === '' ? '' : `: ${answer.message}`;
  return { code, message: `${answer.syscall} SIO_TCP_INFO ${code} (${answer.errno})${text}` };
}

/** A TCP_INFO_v0 as Windows wrote it. */
export function parseTcpInfo(bytes: Buffer): TcpInfo | Refused {
  const size = 85;
  if (bytes.length < size) return { code: 'UNKNOWN', message: `Only ${bytes.length} bytes were written.` };
  const read = {
    u8: (at: number) => bytes.readUInt8(at),
    u32: (at: number) => bytes.readUInt32LE(at),
    u64: (at: number) => Number(bytes.readBigUInt64LE(at)),
  };
  return Object.fromEntries(Object.entries(FIELDS).map(([name, [type, at]]) => [name, read[type](at)])) as TcpInfo;
}
