import { describe, expect, test } from 'vitest';
import {
  compareRunSpeeds,
  compareSpeeds,
  confidenceFor,
  judge,
  LEAST_ROUNDS,
  median,
  seededRandom,
} from '../../dist/cli/bench/statistics.js';
import { NOISES, type Noise, normal, roundsOf } from '../support/noise.js';

// Arithmetic is the same on every system, and slow on Wine.

const SAME = 'no measurable difference';

/** How often the interval has the true ratio in it, at 95 %. */
function coverage(noise: Noise, ratio: number, rounds: number, times: number): number {
  const random = seededRandom(7);
  let covered = 0;
  for (let i = 0; i < times; ++i) {
    const found = compareSpeeds(roundsOf(rounds, ratio, noise, random), 0.95, random);
    if (found !== undefined && found.low <= ratio && ratio <= found.high) covered += 1;
  }
  return covered / times;
}

describe.each(Object.entries(NOISES))('rounds with %s noise of 10 %%', (_name, noise) => {
  const compare = (ratio: number) =>
    compareSpeeds(roundsOf(40, ratio, noise, seededRandom(1)), confidenceFor(56), seededRandom(2));

  test.each([
    [1.5, 'faster'],
    [0.6, 'slower'],
    [1, SAME],
  ])('a ratio of %d is %s', (ratio, verdict) => {
    const found = compare(ratio);
    expect(judge(found)).toBe(verdict);
    expect(found?.low).toBeLessThan(ratio);
    expect(found?.high).toBeGreaterThan(ratio);
  });

  test('the interval covers the true ratio in about 95 of 100 cases', () => {
    const share = coverage(noise, 1.3, 20, 200);
    // Three standard errors of a share of 200.
    expect(share).toBeGreaterThan(0.95 - 3 * Math.sqrt((0.95 * 0.05) / 200));
  });
});

describe.each(Object.entries(NOISES))('two runs without common rounds, %s noise of 10 %%', (_name, noise) => {
  const speeds = (rounds: number, ratio: number, random: () => number) =>
    roundsOf(rounds, ratio, noise, random).map(([speed]) => speed);

  test('the interval covers the true ratio in about 95 of 100 cases, and not always', () => {
    const random = seededRandom(7);
    let covered = 0;
    for (let i = 0; i < 200; ++i) {
      // One of --quick beside a longer one.
      const found = compareRunSpeeds(speeds(20, 1.3, random), speeds(40, 1, random), 0.95, random);
      if (found !== undefined && found.low <= 1.3 && 1.3 <= found.high) covered += 1;
    }
    expect(covered / 200).toBeGreaterThan(0.95 - 3 * Math.sqrt((0.95 * 0.05) / 200));
    expect(covered).toBeLessThan(200);
  });

  test.each([
    [1.5, 'faster'],
    [0.6, 'slower'],
    [1, SAME],
  ])('a ratio of %d is %s', (ratio, verdict) => {
    const random = seededRandom(3);
    const found = compareRunSpeeds(speeds(40, ratio, random), speeds(40, 1, random), confidenceFor(56), random);
    expect(judge(found)).toBe(verdict);
  });
});

test('two runs: too few rounds in either say nothing, and turned around it is the inverse', () => {
  const random = seededRandom(6);
  const [now, before] = [1.4, 1].map((ratio) => roundsOf(20, ratio, normal, random).map(([speed]) => speed));
  if (now === undefined || before === undefined) throw new Error('no rounds');
  const few = before.slice(0, LEAST_ROUNDS - 1);
  expect(compareRunSpeeds(now, few, 0.95, random)).toBe(undefined);
  expect(compareRunSpeeds(few, now, 0.95, random)).toBe(undefined);
  const found = compareRunSpeeds(now, before, 0.99, seededRandom(1));
  expect(found?.ratio).toBeCloseTo(1 / (compareRunSpeeds(before, now, 0.99, seededRandom(1))?.ratio ?? 0), 10);
});

test('the interval is not just wide: 95 % is less than always', () => {
  expect(coverage(normal, 1, 20, 200)).toBeLessThan(0.995);
});

test('a difference hidden by noise is not reported; more rounds find it', () => {
  const verdict = (rounds: number) =>
    judge(compareSpeeds(roundsOf(rounds, 1.06, normal, seededRandom(3)), confidenceFor(56), seededRandom(4)));
  expect(verdict(LEAST_ROUNDS)).toBe(SAME);
  expect(verdict(200)).toBe('faster');
});

test('too few rounds: no interval, and no verdict', () => {
  const few = roundsOf(LEAST_ROUNDS - 1, 3, normal, seededRandom(1));
  expect(compareSpeeds(few, 0.95, seededRandom(1))).toBe(undefined);
  expect(judge(undefined)).toBe('too few rounds');
});

test('the same numbers and the same seed: the same interval', () => {
  const rounds = roundsOf(20, 1.1, normal, seededRandom(5));
  const once = compareSpeeds(rounds, 0.99, seededRandom(20));
  expect(compareSpeeds(rounds, 0.99, seededRandom(20))).toEqual(once);
  expect(compareSpeeds(rounds, 0.99, seededRandom(21))).not.toEqual(once);
});

test('turned around, it is the inverse', () => {
  const rounds = roundsOf(20, 1.4, normal, seededRandom(6));
  const found = compareSpeeds(rounds, 0.99, seededRandom(1));
  const inverse = compareSpeeds(
    rounds.map(([a, b]) => [b, a] as const),
    0.99,
    seededRandom(1),
  );
  expect(found?.low).toBeCloseTo(1 / (inverse?.high ?? 0), 10);
});

test('without any spread nothing is uncertain', () => {
  const rounds = Array.from({ length: 20 }, () => [300, 200] as const);
  const found = compareSpeeds(rounds, 0.999, seededRandom(1));
  expect(found?.low).toBeCloseTo(1.5, 12);
  expect(found?.high).toBeCloseTo(1.5, 12);
});

test('drift that affects both sides of a round cancels out', () => {
  const random = seededRandom(8);
  const rounds = roundsOf(40, 1.2, normal, random).map(
    ([a, b], index) => [a * 1.1 ** index, b * 1.1 ** index] as const,
  );
  expect(judge(compareSpeeds(rounds, confidenceFor(56), random))).toBe('faster');
});

test('median', () => {
  expect([median([3]), median([3, 1]), median([5, 1, 3]), median([])]).toEqual([3, 2, 3, Number.NaN]);
});
