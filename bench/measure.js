// What the benchmarks share.

import { createRequire } from 'node:module';

export const onWine = process.env.LOOPBACK_TEST_SYSTEM === 'wine';

const require = createRequire(import.meta.url);

/** The shipped binary. */
export const binary = () => require(`../prebuilds/win32-${process.arch}/loopback-fast-path.node`);

/** What this runs on, for the first line of a report. */
export function system() {
  return `Node ${process.version}, ${onWine ? 'Wine (not a Windows figure)' : 'Windows'}, ${process.arch}`;
}

/** Wine refuses the ioctl: the test recorder answers it, so that the path taken on Windows is measured. */
export function acceptTheIoctl() {
  if (onWine) require('../test/support/accept.cjs');
}

export function median(numbers) {
  const sorted = numbers.toSorted((a, b) => a - b);
  return (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2;
}

/**
 * Runs `measure(false)` and `measure(true)` in turn, each in seconds; medians
 * over the pairs: of the plain one, and of the ratio of speeds armed / plain.
 */
export async function compare(measure, milliseconds) {
  await measure(false);
  await measure(true);
  const pairs = [];
  const end = Date.now() + milliseconds;
  while (Date.now() < end || pairs.length < 5) {
    // The order changes, so that whoever comes first gains nothing by it.
    const first = pairs.length % 2 === 1;
    const one = await measure(first);
    const other = await measure(!first);
    pairs.push(first ? [other, one] : [one, other]);
  }
  return {
    plain: median(pairs.map(([plain]) => plain)),
    ratio: median(pairs.map(([plain, armed]) => plain / armed)),
    pairs: pairs.length,
  };
}
