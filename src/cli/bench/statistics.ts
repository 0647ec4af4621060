// From pairs of speeds to a verdict. A pair is one round: the two speeds were
// measured one right after the other, so that what changes slowly (temperature,
// other programs) is in both and goes out of their ratio.

/** A ratio of speeds: above 1 is faster. */
export interface Ratio {
  readonly ratio: number;
  /** Bounds of the confidence interval. */
  readonly low: number;
  readonly high: number;
}

export type Verdict = 'faster' | 'slower' | 'no measurable difference' | 'too few rounds';

/**
 * How sure all intervals of one run together are. Asked for 97.5 %, they keep
 * 95 %: a bootstrap is a little too sure of itself with so few rounds and so far
 * out. test/elsewhere/same.test.ts counts.
 */
const RUN_CONFIDENCE = 0.975;

/** Fewer rounds than this say nothing at such confidence. */
export const LEAST_ROUNDS = 16;

const RESAMPLES = 20_000;

/** Bonferroni: what each of `comparisons` intervals needs, for the whole run to keep its promise. */
export function confidenceFor(comparisons: number): number {
  return 1 - (1 - RUN_CONFIDENCE) / Math.max(comparisons, 1);
}

/**
 * The ratio of two speeds over all rounds: the geometric mean of the rounds'
 * ratios, with the interval of a wild bootstrap-t. It resamples by turning the
 * sign of each round's deviation (of logarithms) at random. Where two paths are
 * the same, either may be the faster one in a round, so that this is just what
 * chance does; and a round that was disturbed makes the interval wide rather than
 * the verdict wrong, which the ordinary bootstrap does not promise.
 *
 * @param pairs `[speed, speed of the baseline]` of each round.
 * @param random Numbers in [0, 1).
 * @returns undefined where there are fewer than LEAST_ROUNDS.
 */
export function compareSpeeds(
  pairs: readonly (readonly [number, number])[],
  confidence: number,
  random: () => number,
): Ratio | undefined {
  if (pairs.length < LEAST_ROUNDS) return undefined;
  return bootstrap([pairs.map(([speed, baseline]) => Math.log(speed / baseline))], confidence, random);
}

/**
 * The same for speeds of two runs, which have no rounds in common: of their means, and
 * with the spread of either in the interval.
 *
 * @returns undefined where one of them has fewer than LEAST_ROUNDS.
 */
export function compareRunSpeeds(
  speeds: readonly number[],
  before: readonly number[],
  confidence: number,
  random: () => number,
): Ratio | undefined {
  if (Math.min(speeds.length, before.length) < LEAST_ROUNDS) return undefined;
  return bootstrap([speeds.map(Math.log), before.map((speed) => -Math.log(speed))], confidence, random);
}

/** Of the sum of the means of some samples. */
function bootstrap(samples: readonly (readonly number[])[], confidence: number, random: () => number): Ratio {
  const means = samples.map((sample) => sumOf(sample) / sample.length);
  const mean = sumOf(means);
  const groups = samples.map((sample, index) => {
    const deviations = sample.map((value) => value - (means[index] as number));
    return { deviations, count: sample.length, squares: sumOf(deviations.map((value) => value * value)) };
  });
  const varianceOf = ({ squares, count }: (typeof groups)[number], centre: number) =>
    (squares - count * centre * centre) / (count - 1) / count;

  const scores = new Float64Array(RESAMPLES);
  for (let i = 0; i < RESAMPLES; ++i) {
    let centre = 0;
    let variance = 0;
    for (const group of groups) {
      const { deviations, count } = group;
      let sum = 0;
      // 32 signs from one number: this is where the time goes.
      let signs = 0;
      for (let j = 0; j < count; ++j, signs >>>= 1) {
        if (j % 32 === 0) signs = Math.floor(random() * 2 ** 32);
        // No branch, which would be mispredicted every other time.
        sum += (deviations[j] as number) * ((signs & 1) * 2 - 1);
      }
      centre += sum / count;
      variance += varianceOf(group, sum / count);
    }
    // No spread at all: nothing is uncertain.
    scores[i] = variance === 0 ? 0 : Math.abs(centre) / Math.sqrt(variance);
  }
  scores.sort();
  const score = scores[Math.min(Math.ceil(confidence * RESAMPLES), RESAMPLES - 1)] as number;
  const reach = score * Math.sqrt(sumOf(groups.map((group) => varianceOf(group, 0))));
  return { ratio: Math.exp(mean), low: Math.exp(mean - reach), high: Math.exp(mean + reach) };
}

/** Faster or slower only where the interval leaves 1 out. */
export function judge(ratio: Ratio | undefined): Verdict {
  if (ratio === undefined) return 'too few rounds';
  if (ratio.low > 1) return 'faster';
  return ratio.high < 1 ? 'slower' : 'no measurable difference';
}

function sumOf(numbers: readonly number[]): number {
  return numbers.reduce((sum, value) => sum + value, 0);
}

/** Numbers in [0, 1) that are the same for the same seed (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

/** The one in the middle. */
export function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const [low = Number.NaN, high = low] = sorted.length % 2 === 1 ? sorted.slice(middle) : sorted.slice(middle - 1);
  return sorted.length % 2 === 1 ? low : (low + high) / 2;
}
