// Rounds of a measurement that was not made: two speeds of a known ratio, with
// noise of a known distribution. For tests, and for bench/statistics.js.

/** @typedef {(random: () => number) => number} Noise */

/** @type {Noise} */
export const normal = (random) => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());

/** As normal, but one slice in twenty was disturbed. @type {Noise} */
export const disturbed = (random) => normal(random) * (random() < 0.05 ? 8 : 1);

/** Few are much slower, as round trips are: the logarithm has a long tail to one side. @type {Noise} */
export const skewed = (random) => -Math.log(1 - random()) - 1;

/** @type {Record<string, Noise>} */
export const NOISES = { normal, disturbed, skewed };

/**
 * @param {number} count
 * @param {number} ratio of the true speeds
 * @param {Noise} noise of either speed, a tenth of which is in its logarithm
 * @param {() => number} random
 * @returns {[number, number][]}
 */
export function roundsOf(count, ratio, noise, random) {
  return Array.from({ length: count }, () => [
    ratio * 1000 * Math.exp(noise(random) / 10),
    1000 * Math.exp(noise(random) / 10),
  ]);
}

/**
 * Of so many runs of the same against the same, how many say "no measurable
 * difference" in every comparison.
 *
 * @param {typeof import('../../dist/cli/bench/statistics.js')} statistics
 * @param {{ runs: number, comparisons: number, rounds: number, noise: Noise, seed: number }} options
 */
export function cleanRuns(
  { compareSpeeds, confidenceFor, judge, seededRandom },
  { runs, comparisons, rounds, noise, seed },
) {
  const random = seededRandom(seed);
  const compare = () => judge(compareSpeeds(roundsOf(rounds, 1, noise, random), confidenceFor(comparisons), random));
  let clean = 0;
  for (let run = 0; run < runs; ++run) {
    const verdicts = Array.from({ length: comparisons }, compare);
    if (verdicts.every((verdict) => verdict === 'no measurable difference')) clean += 1;
  }
  return clean;
}
