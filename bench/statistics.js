// How often `bench --same` would cry wolf: simulated runs of the same against the
// same, and how many say "no measurable difference" in every comparison. Run it
// with `node bench/statistics.js [runs]` after `npm run build`.

import * as statistics from '../dist/cli/bench/statistics.js';
import { cleanRuns, NOISES } from '../test/support/noise.js';

const runs = Number(process.argv[2] ?? 100);
console.log('noise     | rounds | comparisons | clean runs');
for (const [name, noise] of Object.entries(NOISES)) {
  for (const [rounds, comparisons] of [
    [20, 32],
    [40, 56],
  ]) {
    const clean = cleanRuns(statistics, { runs, comparisons, rounds, noise, seed: 11 });
    console.log(
      `${name.padEnd(9)} | ${String(rounds).padStart(6)} | ${String(comparisons).padStart(11)} | ${clean} of ${runs}`,
    );
  }
}
