import { expect, test } from 'vitest';
import * as statistics from '../../dist/cli/bench/statistics.js';
import { cli } from '../support/cli.js';
import { cleanRuns, disturbed, normal } from '../support/noise.js';

// Arithmetic, and the same on every system: once is enough.
test.each([
  ['normal', normal],
  ['disturbed', disturbed],
])(
  'the same against the same, %s noise: of 100 runs at least 95 find no measurable difference in any shape',
  { timeout: 60_000 },
  (_name, noise) => {
    expect(cleanRuns(statistics, { runs: 100, comparisons: 8, rounds: 20, noise, seed: 9 })).toBeGreaterThanOrEqual(95);
  },
);

test('--same: plain TCP against itself; what it says is printed', { timeout: 60_000 }, async () => {
  const { code, stdout } = await cli(['bench', '--same', '--quick', '--seconds', '6']);
  console.log(stdout);
  expect(code).toBe(0);
  expect(stdout).toContain('Plain TCP against itself');
  expect(stdout).toMatch(/TCP IPv4, again: .* of 8 shapes/);
  expect(stdout).not.toContain('\x1b');
});
