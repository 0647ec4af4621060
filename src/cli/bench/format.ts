// Figures as text, the same in the terminal and on the page.

import type { BenchResult, Comparison, Latency, Measured, ShapeResult } from './bench.js';
import { BASELINE, PATHS, type PathId } from './plan.js';
import type { Ratio, Verdict } from './statistics.js';

/** `34.1 µs`, `1.25 ms`. */
export function formatTime(nanoseconds: number): string {
  if (nanoseconds < 1e3) return `${digits(nanoseconds)} ns`;
  return nanoseconds < 1e6 ? `${digits(nanoseconds / 1e3)} µs` : `${digits(nanoseconds / 1e6)} ms`;
}

/** The speed of a path: `1,230 MiB/s`, `9,800 /s`; of round trips their mean length. */
export function formatSpeed({ kind }: ShapeResult, speed: number | null): string {
  if (speed === null) return '–';
  if (kind === 'round-trip') return formatTime(1e9 / speed);
  return kind === 'throughput' ? `${digits(speed / 2 ** 20)} MiB/s` : `${digits(speed)} /s`;
}

/** p50, p90, p99 and, where it is more than one of the longest round trips, p99.9. */
export function knownPercentiles(latency: Latency | undefined): number[] {
  if (latency === undefined) return [];
  const { p50, p90, p99, p999, samples } = latency;
  return samples >= 10_000 ? [p50, p90, p99, p999] : [p50, p90, p99];
}

/** The same as text, `–` for what is not known. */
export function formatLatency({ latency }: Measured): string[] {
  const texts = knownPercentiles(latency).map(formatTime);
  return texts.length === 3 ? [...texts, '–'] : texts;
}

/** `1.25× (1.18 to 1.33)`. */
export function formatRatio({ ratio, low, high }: Partial<Ratio>): string {
  if (ratio === undefined || low === undefined || high === undefined) return '';
  return `${ratio.toFixed(2)}× (${low.toFixed(2)} to ${high.toFixed(2)})`;
}

/** The comparison of a path with plain TCP. */
export function againstBaseline(shape: ShapeResult, path: PathId): Comparison | undefined {
  return shape.comparisons.find((one) => one.path === path && one.baseline === BASELINE);
}

/** What is to be said before any figure. */
export function caveats({ system, settings, interrupted }: BenchResult): string[] {
  return [
    system.wine ? 'Measured on Wine. These are not Windows figures, and say nothing about Windows.' : '',
    interrupted ? 'Ended early: what was measured by then.' : '',
    settings.same ? 'Plain TCP against itself: every verdict should be "no measurable difference".' : '',
  ].filter((text) => text !== '');
}

/** How to read the figures. */
export function legend({ settings, confidence }: BenchResult): string {
  return (
    `Ratios are of speed: above 1× is faster than ${PATHS[BASELINE].title}. In brackets, the interval of ${(confidence * 100).toFixed(3)} % ` +
    `confidence: so wide that all of this run hold together in 95 of 100 runs. Each is from up to ${settings.rounds} rounds.`
  );
}

/** For each path, in how many shapes it was what. */
export function summary(result: BenchResult): string[] {
  const order: Verdict[] = ['faster', 'slower', 'no measurable difference', 'too few rounds'];
  return result.paths
    .filter(({ id }) => id !== BASELINE)
    .map(({ id, title }) => {
      const verdicts = result.shapes.flatMap((shape) => againstBaseline(shape, id)?.verdict ?? []);
      const counts = order
        .map((verdict) => ({ verdict, count: verdicts.filter((one) => one === verdict).length }))
        .filter(({ count }) => count > 0)
        .map(({ verdict, count }) => `${verdict} in ${count}`);
      return `${title}: ${counts.length === 0 ? 'not measured' : counts.join(', ')} of ${verdicts.length} shapes`;
    })
    .concat(limits(result));
}

/** How far Node with the fast path is from the C++ twin with it. */
function limits({ shapes }: BenchResult): string[] {
  return shapes.flatMap(({ title, comparisons }) => {
    const found = comparisons.find(({ baseline }) => baseline !== BASELINE);
    return found?.ratio === undefined
      ? []
      : `${PATHS[found.path].title} reaches ${formatRatio(found)} of ${PATHS[found.baseline].title}: ${title}`;
  });
}

/** Three significant digits, with separators. */
function digits(value: number): string {
  return value.toLocaleString('en-US', { maximumSignificantDigits: 3, minimumSignificantDigits: value < 100 ? 3 : 1 });
}
