// What is measured: ways to connect two processes, and shapes of traffic.

/** A way to connect two processes. */
export type PathId =
  | 'tcp4'
  | 'tcp4-again'
  | 'tcp4-fast'
  | 'tcp4-fast-client'
  | 'tcp6'
  | 'pipe'
  | 'native-tcp4'
  | 'native-tcp4-fast';

/** The listener that a path connects to. */
export type ListenerId = 'tcp4' | 'tcp4-fast' | 'tcp6' | 'pipe';

interface Path {
  readonly title: string;
  readonly listener: ListenerId;
  /** Whether the client enables the fast path. */
  readonly armed: boolean;
  /** Whether both ends are the C++ twin. */
  readonly native: boolean;
}

const pipe = process.platform === 'win32' ? 'Named pipe' : 'Unix socket';

export const PATHS: { readonly [id in PathId]: Path } = {
  tcp4: { title: 'TCP IPv4', listener: 'tcp4', armed: false, native: false },
  'tcp4-again': { title: 'TCP IPv4, again', listener: 'tcp4', armed: false, native: false },
  'tcp4-fast': { title: 'TCP IPv4, fast path', listener: 'tcp4-fast', armed: true, native: false },
  'tcp4-fast-client': { title: 'TCP IPv4, fast path on client only', listener: 'tcp4', armed: true, native: false },
  tcp6: { title: 'TCP IPv6', listener: 'tcp6', armed: false, native: false },
  pipe: { title: pipe, listener: 'pipe', armed: false, native: false },
  'native-tcp4': { title: 'C++, TCP IPv4', listener: 'tcp4', armed: false, native: true },
  'native-tcp4-fast': { title: 'C++, TCP IPv4, fast path', listener: 'tcp4-fast', armed: true, native: true },
};

/** What everything is compared with. */
export const BASELINE: PathId = 'tcp4';

/** A shape of traffic, on a number of connections at the same time. */
export type Shape = {
  /**
   * - `round-trip`: a message there and one of the same size back, then the next.
   * - `throughput`: writes in one direction, as fast as they are taken.
   * - `connects`: connect, a header there and one byte back, close; then the next.
   */
  readonly kind: 'round-trip' | 'throughput' | 'connects';
  /** Size of a message, or of a write. Of no meaning for `connects`. */
  readonly bytes: number;
  readonly connections: number;
};

const KIB = 1024;
const CONNECTIONS = [1, 32];

export const SHAPES: readonly Shape[] = [
  ...shapes('round-trip', [64, KIB, 64 * KIB]),
  ...shapes('throughput', [8 * KIB, 64 * KIB, KIB * KIB]),
  ...shapes('connects', [0]),
];

/** The ones that can be told apart in seconds. */
export const QUICK_SHAPES: readonly Shape[] = [
  ...shapes('round-trip', [64, 64 * KIB]),
  ...shapes('throughput', [64 * KIB]),
  ...shapes('connects', [0]),
];

function shapes(kind: Shape['kind'], sizes: number[]): Shape[] {
  return CONNECTIONS.flatMap((connections) => sizes.map((bytes) => ({ kind, bytes, connections })));
}

/** The paths of a run, before it is known which of them this machine has. */
export function pathsFor({ same, native }: { same: boolean; native: boolean }): PathId[] {
  if (same) return ['tcp4', 'tcp4-again'];
  return ['tcp4', 'tcp4-fast', 'tcp4-fast-client', 'tcp6', 'pipe', ...(native ? NATIVE : [])];
}

const NATIVE: PathId[] = ['native-tcp4', 'native-tcp4-fast'];

/**
 * Which path is compared with which: each with plain TCP, and the best of Node
 * with the limit beside it, where there is one.
 */
export function contrastsOf(paths: readonly PathId[]): [path: PathId, baseline: PathId][] {
  const contrasts = paths.filter((path) => path !== BASELINE).map((path): [PathId, PathId] => [path, BASELINE]);
  if (paths.includes('tcp4-fast') && paths.includes('native-tcp4-fast')) {
    contrasts.push(['tcp4-fast', 'native-tcp4-fast']);
  }
  return contrasts;
}

/**
 * The orders of the paths in two rounds: one by chance, and that one backwards. So
 * each path is as often before as after each other, and what comes back at regular
 * intervals, such as the collection of garbage, does not always hit the same one.
 */
export function ordersOf<T>(paths: readonly T[], random: () => number): [T[], T[]] {
  const left = [...paths];
  const order = paths.flatMap(() => left.splice(Math.floor(random() * left.length), 1));
  return [order, order.toReversed()];
}

/** `64 B`, `8 KiB`, `1 MiB`. */
export function describeSize(bytes: number): string {
  if (bytes >= KIB * KIB) return `${bytes / KIB / KIB} MiB`;
  return bytes >= KIB ? `${bytes / KIB} KiB` : `${bytes} B`;
}

/** `round trip of 64 B, 32 connections`. */
export function describeShape({ kind, bytes, connections }: Shape): string {
  const many = `${connections} connection${connections === 1 ? '' : 's'}`;
  if (kind === 'connects') return `connects, ${connections} at a time`;
  return kind === 'round-trip'
    ? `round trip of ${describeSize(bytes)}, ${many}`
    : `throughput in writes of ${describeSize(bytes)}, ${many}`;
}
