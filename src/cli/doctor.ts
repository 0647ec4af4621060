import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import * as net from 'node:net';
import { fileURLToPath } from 'node:url';
import {
  enableLoopbackFastPath,
  type LoopbackFastPathError,
  type NativeBinding,
  native,
  winsockError,
} from '../core.js';
import { type LoopbackSettings, readLoopbackSettings } from './netsh.js';
import { askPowerShell, type Driver, findCallouts } from './powershell.js';
import { type Refused, refused } from './refused.js';
import { isSwitchedOff, processSettings, type Setting } from './settings.js';
import { packageVersion, type SystemFacts, systemFacts } from './system.js';
import { compareTcpInfo, type TcpInfoPair } from './tcp-info.js';

/** `accepted` says what the system answered, and not that packets take the fast path. */
type Answer = 'accepted' | Refused;

/** What `doctor` finds out; `--json` prints it as it is. */
export interface Findings {
  readonly tool: 'loopback-fast-path doctor';
  readonly version: string;
  readonly system: SystemFacts & { readonly updateRevision?: number };
  /** The binary that was loaded, or why none was. */
  readonly binary: Binary | { readonly error: Refused };
  /** What the system answers to the ioctl, on sockets of doctor's own (R1 to R8). */
  readonly ioctl?: {
    readonly ipv4: { readonly on: Answer; readonly off: Answer };
    /** Only with `--ipv6`, on an IPv6-only socket. */
    readonly ipv6?: { readonly on: Answer; readonly off: Answer };
  };
  /** Whether a layered provider is in between (R9). */
  readonly layered?: boolean | Refused;
  /** How long PowerShell took, and whether it said anything. */
  readonly powershell?: { readonly seconds: number; readonly answered: boolean };
  /** Drivers that could force the slow path (B9); absent where that cannot be seen. */
  readonly calloutDrivers?: readonly Driver[];
  /** Running drivers whose files could not be read, so that nothing is known of them. */
  readonly unreadDrivers?: readonly string[];
  /** What B13's counter did; absent where there is none, or the ioctl is not accepted. */
  readonly counter?: Counter;
  /** The same traffic without and with the fast path; absent where the ioctl is not accepted. */
  readonly tcpInfo?: TcpInfoPair;
  /** How Windows treats loopback over IPv4 as a whole; absent where netsh does not say. */
  readonly loopback?: LoopbackSettings;
  /** Settings of the process that bear on the fast path. */
  readonly settings: readonly Setting[];
  readonly verdict: { readonly usable: boolean; readonly text: string };
}

interface Binary {
  readonly file: string;
  readonly sha256: string;
  /** Whether `prebuilds/SHA256SUMS` has that hash. */
  readonly published: boolean;
}

interface Counter {
  readonly before: number;
  readonly after: number;
  /** Connections that doctor made in between, with the fast path on both ends. */
  readonly connections: number;
}

const CONNECTIONS = 10;

/** Finds out. Touches no socket but its own, and asks IPv6 only where `ipv6` says so. */
export async function examine({ ipv6 }: { ipv6: boolean }): Promise<Findings> {
  const system = systemFacts();
  const settings = processSettings();
  const common = { tool: 'loopback-fast-path doctor', version: packageVersion, settings } as const;

  let binding: NativeBinding;
  try {
    binding = native();
  } catch (error) {
    const { code, message } = error as LoopbackFastPathError;
    const text = code === 'ERR_LOOPBACK_FAST_PATH_PLATFORM' ? `this is ${system.name}, not Windows` : message;
    const verdict = { usable: false, text: `not usable: ${text}` };
    return { ...common, system, binary: { error: { code, message } }, verdict };
  }

  const ioctl = {
    ipv4: askIoctl(binding, 4),
    ...(ipv6 ? { ipv6: askIoctl(binding, 6) } : {}),
  };
  const layer = binding.isLayered(4);
  const accepted = ioctl.ipv4.on === 'accepted';
  // One after the other: each wants a processor of its own.
  const { seconds, answered, updateRevision, drivers, counter } = await askPowerShell(
    accepted ? makeConnections : async () => {},
  );
  const loopback = await readLoopbackSettings();
  const tcpInfo = accepted ? await compareTcpInfo(binding) : undefined;
  return {
    ...common,
    system: { ...system, ...(updateRevision === undefined ? {} : { updateRevision }) },
    binary: loadedBinary(),
    ioctl,
    layered: typeof layer === 'object' ? refused(winsockError(layer)) : layer,
    powershell: { seconds, answered },
    ...(drivers === undefined ? {} : await findCallouts(drivers)),
    ...(counter === undefined || !accepted ? {} : { counter: { ...counter, connections: CONNECTIONS } }),
    ...(tcpInfo === undefined ? {} : { tcpInfo }),
    ...(loopback === undefined ? {} : { loopback }),
    verdict: judge(ioctl.ipv4.on, settings, system),
  };
}

function askIoctl(binding: NativeBinding, family: 4 | 6): { on: Answer; off: Answer } {
  const ask = (on: boolean): Answer => {
    const failure = binding.probe(family, on);
    return failure === undefined ? 'accepted' : refused(winsockError(failure));
  };
  return { on: ask(true), off: ask(false) };
}

function judge(answer: Answer, settings: readonly Setting[], system: SystemFacts): Findings['verdict'] {
  if (answer !== 'accepted') return { usable: false, text: `not usable: ${system.name} refuses it (${answer.code})` };
  if (isSwitchedOff(settings)) {
    return { usable: false, text: 'not usable here: LOOPBACK_FAST_PATH=0 switches it off' };
  }
  return {
    usable: true,
    text: `usable: ${system.name} accepts it for IPv4. Whether it helps, "loopback-fast-path bench" measures`,
  };
}

/** The binary of this package that Node has loaded, among all that it has. */
function loadedBinary(): Binary | { error: Refused } {
  const folder = fileURLToPath(new URL('../../', import.meta.url));
  const file = Object.keys(createRequire(import.meta.url).cache).find(
    (name) => name.startsWith(folder) && name.endsWith('loopback-fast-path.node'),
  );
  if (file === undefined) return { error: { code: 'UNKNOWN', message: 'Node does not say which file it loaded.' } };
  const sha256 = createHash('sha256').update(readFileSync(file)).digest('hex');
  const sums = readFileSync(new URL('../../prebuilds/SHA256SUMS', import.meta.url), 'utf8');
  const published = sums.includes(`${sha256}  win32-${process.arch}/`);
  return { file, sha256, published };
}

/** A few, with the fast path on both ends: what the counter of B13 does meanwhile is looked at. */
async function makeConnections(): Promise<void> {
  const server = net.createServer((socket) => socket.on('error', () => {}).end());
  enableLoopbackFastPath(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  for (let i = 0; i < CONNECTIONS; ++i) {
    const socket = net.connect((server.address() as net.AddressInfo).port, '127.0.0.1');
    enableLoopbackFastPath(socket);
    socket.resume();
    await once(socket, 'close');
  }
  server.close();
}
