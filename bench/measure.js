// What the benchmarks share: interleaved rounds, and no figure without its interval.

import { appendFileSync, existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { compareSpeeds, seededRandom } from '../dist/cli/bench/statistics.js';

export const onWine = process.env.LOOPBACK_TEST_SYSTEM === 'wine';

const CONFIDENCE = 0.95;
const require = createRequire(import.meta.url);

/** The shipped binary. */
export const binary = () => require(`../prebuilds/win32-${process.arch}/loopback-fast-path.node`);

/** The files of an older package, made by `--before`: what is imported, required and preloaded. */
export function olderPackage() {
  const dist = fileURLToPath(new URL('../build/before/dist/', import.meta.url));
  if (!existsSync(dist)) return undefined;
  const file = (...names) => names.map((name) => dist + name).find(existsSync);
  return {
    imported: file('node.mjs', 'index.js'),
    required: file('index.cjs', 'index.js'),
    preloaded: file('register.cjs'),
  };
}

/** What this runs on, for the first line of a report. */
export function system() {
  const name = onWine ? 'Wine (not a Windows figure)' : process.platform === 'win32' ? 'Windows' : process.platform;
  return `Node ${process.version}, ${name}, ${process.arch}`;
}

/** Wine refuses the ioctl: the test recorder answers it, so that the path taken on Windows is measured. */
export function acceptTheIoctl() {
  if (!onWine) return;
  // The recorder redirects what is loaded by then.
  if (olderPackage()) require(`../build/before/prebuilds/win32-${process.arch}/loopback-fast-path.node`);
  require('../test/support/accept.cjs');
}

export function median(numbers) {
  const sorted = numbers.toSorted((a, b) => a - b);
  return (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2;
}

/** The median and the 95 % interval of it that the order of the numbers gives, without a model. */
export function medianInterval(numbers) {
  const sorted = numbers.toSorted((a, b) => a - b);
  const margin = 0.98 * Math.sqrt(sorted.length);
  const at = (rank) => sorted[Math.min(Math.max(Math.round(rank), 0), sorted.length - 1)];
  const middle = (sorted.length - 1) / 2;
  return { value: median(numbers), low: at(middle - margin), high: at(middle + margin) };
}

/** `0.98 (0.97 to 0.99)`. */
export function shown({ ratio, value = ratio, low, high }, digits = 3) {
  return `${value.toFixed(digits)} (${low.toFixed(digits)} to ${high.toFixed(digits)})`;
}

/** A figure for the history that `npm run bench:all` keeps: a ratio with its interval. */
export function record(name, { ratio, value = ratio, low, high }) {
  const file = process.env.LOOPBACK_BENCH_FIGURES;
  if (file) appendFileSync(file, `${JSON.stringify({ name, value, low, high })}\n`);
}

/** The ratio of the speeds of two things that took so many seconds, round by round. */
export function speedRatio(seconds, baseline) {
  const pairs = seconds.map((each, round) => [1 / each, 1 / baseline[round]]);
  return compareSpeeds(pairs, CONFIDENCE, seededRandom(1));
}

/**
 * The same of medians, for what takes so short that it is measured thousands of times: the few
 * that had to wait for something else hide in a mean what the others took.
 */
export function medianRatio(seconds, baseline) {
  const plain = median(baseline);
  const more = medianInterval(seconds.map((each, round) => each - baseline[round]));
  const ratio = (seconds) => plain / (plain + seconds);
  return { ratio: ratio(more.value), low: ratio(more.high), high: ratio(more.low) };
}

/**
 * Runs each of `measures` once in each round, in an order by chance.
 *
 * @param measures Each tells a number, as a rule of seconds.
 * @returns their numbers, round by round
 */
export async function interleave(measures, { milliseconds = 0, rounds = 0 }) {
  const random = seededRandom(Date.now() % 65536);
  const names = Object.keys(measures);
  for (const name of names) await measures[name]();
  const results = Object.fromEntries(names.map((name) => [name, []]));
  const end = Date.now() + milliseconds;
  for (let round = 0; round < Math.max(rounds, 20) || Date.now() < end; ++round) {
    const order = names.map((name) => [random(), name]).toSorted(([a], [b]) => a - b);
    for (const [, name] of order) results[name].push(await measures[name]());
  }
  return results;
}

/**
 * Armed against plain, beside plain against plain: what a figure of this machine is worth.
 *
 * @param options What `measure` is called with for `armed`, and for `before`, an older package, if there is one.
 */
export async function compare(measure, milliseconds, { armed = true, before } = {}) {
  const measures = { plain: () => measure(), again: () => measure(), armed: () => measure(armed) };
  if (before !== undefined) measures.before = () => measure(before);
  const times = await interleave(measures, { milliseconds });
  const ratios = (of) => ({
    armed: of(times.armed, times.plain),
    control: of(times.again, times.plain),
    before: times.before && of(times.before, times.plain),
  });
  const { length: rounds } = times.plain;
  return { plain: median(times.plain), rounds, ...ratios(speedRatio), ofMedians: ratios(medianRatio) };
}
