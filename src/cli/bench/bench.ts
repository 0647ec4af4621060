import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { createHistogram, type RecordableHistogram } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { probeLoopbackFastPath } from '../../core.js';
import { type LoopbackSettings, readLoopbackSettings } from '../netsh.js';
import { armsEverything, isSwitchedOff, processSettings } from '../settings.js';
import { packageVersion, type SystemFacts, systemFacts } from '../system.js';
import { UsageError } from '../usage-error.js';
import { type Meter, NodeMeter, type Slice } from './measure.js';
import { NativeTwin } from './native-twin.js';
import type { Addresses } from './peer.js';
import {
  contrastsOf,
  describeShape,
  type ListenerId,
  ordersOf,
  PATHS,
  type PathId,
  pathsFor,
  QUICK_SHAPES,
  SHAPES,
  type Shape,
} from './plan.js';
import { compareSpeeds, confidenceFor, judge, median, type Ratio, seededRandom, type Verdict } from './statistics.js';

export interface BenchOptions {
  readonly quick: boolean;
  readonly native: boolean;
  readonly same: boolean;
  /** About how long to measure. */
  readonly seconds?: number;
  /** Ends it; what was measured by then is the result. */
  readonly signal: AbortSignal;
  /** Told what is being done; `''` at the end. */
  readonly progress: (text: string) => void;
}

/** What `bench` measures; `--json` prints it as it is. */
export interface BenchResult {
  readonly tool: 'loopback-fast-path bench';
  readonly version: string;
  /** When it began, as ISO 8601. */
  readonly date: string;
  readonly system: SystemFacts;
  /** How Windows treats loopback over IPv4 as a whole; absent where netsh does not say. */
  readonly loopback?: LoopbackSettings;
  readonly settings: { readonly quick: boolean; readonly same: boolean; readonly rounds: number };
  /** How long it took. */
  readonly seconds: number;
  /** Whether it was ended before its end. */
  readonly interrupted: boolean;
  readonly paths: readonly { readonly id: PathId; readonly title: string }[];
  /** Paths that were not measured at all, and why. */
  readonly leftOut: readonly { readonly id: PathId; readonly title: string; readonly reason: string }[];
  /** Of each interval, so that all of them together keep 95 %. */
  readonly confidence: number;
  readonly shapes: readonly ShapeResult[];
}

export interface ShapeResult extends Shape {
  readonly title: string;
  readonly measured: readonly Measured[];
  readonly comparisons: readonly Comparison[];
}

/** One path in one shape. */
export interface Measured {
  readonly path: PathId;
  /**
   * Of each round: round trips one after the other (of mean length), bytes or
   * connects per second; null where it failed.
   */
  readonly speeds: readonly (number | null)[];
  /** The median of the rounds. */
  readonly speed: number | null;
  /** Of all round trips of all rounds, in nanoseconds. */
  readonly latency?: Latency;
  /** Why it was given up. */
  readonly failure?: string;
}

export interface Latency {
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly p999: number;
  readonly samples: number;
}

/** A ratio of speeds, above 1 where `path` is faster; no numbers where there were too few rounds. */
export interface Comparison extends Partial<Ratio> {
  readonly path: PathId;
  readonly baseline: PathId;
  readonly verdict: Verdict;
}

const SECONDS = { quick: 15, full: 90 };
const ROUNDS = { quick: 20, full: 40 };

/** The same numbers give the same intervals. */
const SEED = 20;

/** @throws {UsageError} where it would measure something else than it says. */
export async function bench(options: BenchOptions): Promise<BenchResult> {
  if (armsEverything()) {
    throw new UsageError(
      'loopback-fast-path/register arms the sockets that bench takes for plain ones. Run it without.',
    );
  }
  const { quick, same, native, signal, progress } = options;
  const began = new Date();
  const loopback = await readLoopbackSettings();
  const rounds = quick ? ROUNDS.quick : ROUNDS.full;
  const shapes = quick ? QUICK_SHAPES : SHAPES;
  const end = performance.now() + (options.seconds ?? (quick ? SECONDS.quick : SECONDS.full)) * 1000;
  const twin = native ? await NativeTwin.start() : undefined;
  const wanted = pathsFor({ same, native });
  const peer = startPeer([...new Set(wanted.filter((id) => !PATHS[id].native).map((id) => PATHS[id].listener))]);
  const measurements: ShapeMeasurement[] = [];
  const leftOut: BenchResult['leftOut'][number][] = [];
  try {
    const addresses = await peer.addresses;
    const meters = new Map<PathId, Meter>();
    for (const id of wanted) {
      const meter = meterFor(id, addresses, twin);
      if (typeof meter === 'string') leftOut.push({ id, title: PATHS[id].title, reason: meter });
      else meters.set(id, meter);
    }
    for (const [index, shape] of shapes.entries()) {
      if (signal.aborted) break;
      progress(`${index + 1}/${shapes.length}  ${describeShape(shape)}`);
      const share = (end - performance.now()) / (shapes.length - index);
      const measurement = new ShapeMeasurement(shape, meters);
      measurements.push(measurement);
      await measurement.run(rounds, share, signal);
    }
  } finally {
    peer.stop();
    twin?.stop();
    progress('');
  }
  const paths = wanted.filter((id) => !leftOut.some((other) => other.id === id));
  const confidence = confidenceFor(contrastsOf(paths).length * shapes.length);
  const random = seededRandom(SEED);
  return {
    tool: 'loopback-fast-path bench',
    version: packageVersion,
    date: began.toISOString(),
    system: systemFacts(),
    ...(loopback === undefined ? {} : { loopback }),
    settings: { quick, same, rounds },
    seconds: Math.round((Date.now() - began.getTime()) / 100) / 10,
    interrupted: signal.aborted,
    paths: paths.map((id) => ({ id, title: PATHS[id].title })),
    leftOut,
    confidence,
    shapes: measurements.filter((one) => one.rounds > 0).map((one) => one.result(confidence, random)),
  };
}

/** What measures a path, or why this machine does not have it. */
function meterFor(id: PathId, addresses: Addresses, twin: NativeTwin | undefined): Meter | string {
  const { listener, armed, native } = PATHS[id];
  if (native) return twin?.meter(armed) ?? 'not started';
  if (armed) {
    if (isSwitchedOff(processSettings())) return 'LOOPBACK_FAST_PATH=0 switches it off';
    const probe = probeLoopbackFastPath();
    if (!probe.supported) return probe.error.message;
  }
  const address = addresses[listener];
  if (address === undefined || 'error' in address) return address?.error ?? 'there is no listener';
  return new NodeMeter(address, armed);
}

/** Starts the other process. */
function startPeer(listeners: ListenerId[]): { addresses: Promise<Addresses>; stop(): void } {
  const child: ChildProcess = fork(fileURLToPath(new URL('peer.js', import.meta.url)), listeners);
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`The process at the other end exited with code ${code}.`);
  });
  ended.catch(() => {});
  const told = once(child, 'message').then(([addresses]) => addresses as Addresses);
  return {
    addresses: Promise.race([told, ended]),
    // It exits by itself when the channel closes.
    stop: () => child.connected && child.disconnect(),
  };
}

/** Collects the slices of one shape. */
class ShapeMeasurement {
  rounds = 0;
  readonly #shape: Shape;
  readonly #meters: ReadonlyMap<PathId, Meter>;
  readonly #speeds = new Map<PathId, (number | null)[]>();
  readonly #histograms = new Map<PathId, RecordableHistogram>();
  readonly #failures = new Map<PathId, string>();

  constructor(shape: Shape, meters: ReadonlyMap<PathId, Meter>) {
    this.#shape = shape;
    this.#meters = new Map([...meters].filter(([id]) => !(PATHS[id].native && shape.kind === 'connects')));
    for (const id of this.#meters.keys()) {
      this.#speeds.set(id, []);
      this.#histograms.set(id, createHistogram());
    }
  }

  /**
   * Measures each path in turn, round after round, for about so many milliseconds
   * in all; one round at least.
   */
  async run(rounds: number, milliseconds: number, signal: AbortSignal): Promise<void> {
    const paths = [...this.#meters.keys()];
    const start = performance.now();
    const brief = Math.min(Math.max(milliseconds / (rounds + 2) / paths.length, 1), 20);
    // Not counted: the first compiles the code, the second sizes the slices.
    for (const id of paths) await this.#slice(id, brief / 2, signal);
    const second = performance.now();
    for (const id of paths) await this.#slice(id, brief, signal);
    const overhead = Math.max((performance.now() - second) / paths.length - brief, 0);
    let orders: PathId[][] = [];
    do {
      // Anew in each round: other programs come and go.
      const left = (milliseconds - (performance.now() - start)) / (rounds - this.rounds);
      const length = Math.min(Math.max(left / paths.length - overhead, 2), 250);
      if (orders.length === 0) orders = ordersOf(paths, Math.random);
      const slices = new Map<PathId, Slice>();
      for (const id of orders.pop() ?? []) {
        const slice = await this.#slice(id, length, signal);
        if (slice !== undefined) slices.set(id, slice);
      }
      // A round that was cut short has no pairs.
      if (signal.aborted) return;
      for (const id of paths) {
        const slice = slices.get(id);
        this.#speeds.get(id)?.push(slice?.speed ?? null);
        if (slice?.histogram !== undefined) this.#histograms.get(id)?.add(slice.histogram);
      }
      this.rounds += 1;
    } while (this.rounds < rounds && performance.now() - start < milliseconds * 1.15);
  }

  /** A path that failed once in a shape is left alone for the rest of it. */
  async #slice(id: PathId, milliseconds: number, signal: AbortSignal): Promise<Slice | undefined> {
    const meter = this.#meters.get(id);
    if (meter === undefined || this.#failures.has(id) || signal.aborted) return undefined;
    try {
      return await meter.measure(this.#shape, milliseconds, signal);
    } catch (error) {
      if (!signal.aborted) this.#failures.set(id, (error as Error).message);
      return undefined;
    }
  }

  result(confidence: number, random: () => number): ShapeResult {
    const paths = [...this.#meters.keys()];
    return {
      ...this.#shape,
      title: describeShape(this.#shape),
      measured: paths.map((id) => this.#measured(id)),
      comparisons: contrastsOf(paths).map(([path, baseline]) => {
        const others = this.#speeds.get(baseline);
        const pairs = (this.#speeds.get(path) ?? []).flatMap((speed, round): [number, number][] => {
          const other = others?.[round] ?? null;
          return speed === null || other === null ? [] : [[speed, other]];
        });
        const ratio = compareSpeeds(pairs, confidence, random);
        return { path, baseline, ...ratio, verdict: judge(ratio) };
      }),
    };
  }

  #measured(path: PathId): Measured {
    const speeds = this.#speeds.get(path) ?? [];
    const known = speeds.filter((speed) => speed !== null);
    const histogram = this.#histograms.get(path);
    const failure = this.#failures.get(path);
    return {
      path,
      speeds,
      speed: known.length === 0 ? null : median(known),
      ...(histogram === undefined || histogram.count === 0 ? {} : { latency: latencyOf(histogram) }),
      ...(failure === undefined ? {} : { failure }),
    };
  }
}

function latencyOf(histogram: RecordableHistogram): Latency {
  return {
    p50: histogram.percentile(50),
    p90: histogram.percentile(90),
    p99: histogram.percentile(99),
    p999: histogram.percentile(99.9),
    samples: histogram.count,
  };
}
