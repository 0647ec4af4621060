// A run beside one that was saved: before and after somebody changed a setting of
// Windows, say. What lies between two runs at different times (other programs,
// temperature, the power plan) is in every ratio of theirs, and no interleaving takes
// it out. So paths to which nothing was done are controls: what moved no more than
// they did says nothing.

import { describeSystem } from '../system.js';
import type { BenchResult } from './bench.js';
import { formatRatio } from './format.js';
import { describeShape, PATHS, type PathId, type Shape } from './plan.js';
import type { SavedResult } from './saved.js';
import { compareRunSpeeds, confidenceFor, judge, type Ratio, seededRandom, type Verdict } from './statistics.js';

/** For what is no control, `faster` and `slower` mean: by more than every control. */
export type RunVerdict = Verdict | 'no more than the controls' | 'no control';

/** Of a path now, and one then; above 1 is faster now. */
export interface RunComparison extends Partial<Ratio> {
  readonly path: PathId;
  readonly before: PathId;
  /** Whether it shows how far the machine itself has moved. */
  readonly control: boolean;
  readonly verdict: RunVerdict;
}

export interface Compared {
  /** Of the earlier run. */
  readonly date: string;
  readonly system: string;
  /** What is known to be another than then. */
  readonly changed: readonly string[];
  /** Of each interval, so that all of them together keep 95 %. */
  readonly confidence: number;
  readonly shapes: readonly (Shape & { readonly comparisons: readonly RunComparison[] })[];
}

/** What `bench --json` prints, with `--compare` or without. */
export interface Report extends BenchResult {
  readonly compared?: Compared;
}

/** Unarmed, so that the fast path is not in them. */
const CONTROLS: readonly PathId[] = ['tcp4', 'tcp6', 'pipe'];

/** The same numbers give the same intervals. */
const SEED = 21;

export function compareRuns(now: BenchResult, before: SavedResult): Compared {
  const changed = changesBetween(now, before);
  // A setting for IPv4 that was changed is not what its effect can be measured by.
  const controls = CONTROLS.filter((path) => path !== 'tcp4' || loopbackChanges(now, before).length === 0);
  const shapes = now.shapes.flatMap((shape) => {
    const same = before.shapes.find(
      ({ kind, bytes, connections }) =>
        kind === shape.kind && bytes === shape.bytes && connections === shape.connections,
    );
    return same === undefined ? [] : [{ shape, saved: same }];
  });
  const pairs = pairsFor(now, before);
  const confidence = confidenceFor(pairs.length * shapes.length);
  const random = seededRandom(SEED);
  return {
    date: before.date,
    system: describeSystem(before.system),
    changed,
    confidence,
    shapes: shapes.map(({ shape: { kind, bytes, connections, measured }, saved }) => {
      const speedsOf = (all: typeof saved.measured, wanted: PathId) =>
        (all.find(({ path }) => path === wanted)?.speeds ?? []).filter((speed) => speed !== null);
      const ratios = pairs.map(([path, other]) => ({
        path,
        before: other,
        control: path === other && controls.includes(path),
        ratio: compareRunSpeeds(speedsOf(measured, path), speedsOf(saved.measured, other), confidence, random),
      }));
      const moved = ratios.flatMap(({ control, ratio }) => (control && ratio !== undefined ? [ratio] : []));
      return {
        kind,
        bytes,
        connections,
        comparisons: ratios.map(({ ratio, ...rest }) => ({
          ...rest,
          ...ratio,
          verdict: rest.control ? judge(ratio) : judgeBeside(ratio, moved),
        })),
      };
    }),
  };
}

/** Each path with itself, and plain TCP now with the fast path then: the one instead of the other. */
function pairsFor(now: BenchResult, before: SavedResult): [PathId, PathId][] {
  const then = new Set(before.shapes.flatMap(({ measured }) => measured.map(({ path }) => path)));
  const both = now.paths.map(({ id }) => id).filter((id) => then.has(id));
  const pairs = both.map((id): [PathId, PathId] => [id, id]);
  if (both.includes('tcp4') && then.has('tcp4-fast')) pairs.push(['tcp4', 'tcp4-fast']);
  return pairs;
}

function judgeBeside(ratio: Ratio | undefined, controls: readonly Ratio[]): RunVerdict {
  const alone = judge(ratio);
  if (ratio === undefined || alone === 'no measurable difference') return alone;
  if (controls.length === 0) return 'no control';
  const beyond =
    alone === 'faster' ? controls.every(({ high }) => ratio.low > high) : controls.every(({ low }) => ratio.high < low);
  return beyond ? alone : 'no more than the controls';
}

function changesBetween(now: BenchResult, before: SavedResult): string[] {
  const facts: [string, (run: BenchResult | SavedResult) => string | number][] = [
    ['system', ({ system }) => `${system.name} ${system.release} ${system.arch}`],
    ['processor', ({ system }) => `${system.cores} × ${system.cpu}`],
    ['Node', ({ system }) => system.node],
    ['loopback-fast-path', ({ version }) => version],
  ];
  return facts
    .filter(([, of]) => of(now) !== of(before))
    .map(([name, of]) => `${name} ${of(before)} → ${of(now)}`)
    .concat(loopbackChanges(now, before));
}

/** Of the settings of Windows, where both runs know them. */
function loopbackChanges(now: BenchResult, before: SavedResult): string[] {
  const names = ['loopbackexecutionmode', 'loopbackworkercount', 'loopbacklargemtu'] as const;
  return names.flatMap((name) => {
    const [then, value] = [before.loopback?.[name]?.value, now.loopback?.[name]?.value];
    return then === undefined || value === undefined || then === value ? [] : `${name} ${then} → ${value}`;
  });
}

/** What is to be known before the figures. */
export function describeCompared({ date, system, changed, confidence, shapes }: Compared): string[] {
  const controls = shapes[0]?.comparisons.filter(({ control }) => control).map(({ path }) => PATHS[path].title) ?? [];
  return [
    `The earlier run: ${date.slice(0, 16).replace('T', ' ')} UTC, ${system}.`,
    `Known to have changed since: ${changed.length === 0 ? 'nothing' : changed.join('; ')}.`,
    'Ratios are of speed now to speed then: above 1× is faster now. The two runs were made at different times and are ' +
      'not interleaved, so whatever else changed on the machine is in every ratio.',
    ...(shapes.length === 0 ? ['No shape of traffic was measured in both runs.'] : []),
    controls.length === 0
      ? 'There is no control: no path was measured in both runs that was left alone. So there are no verdicts.'
      : `Controls, taken as left alone: ${controls.join(', ')}. Elsewhere, faster or slower means by more than every ` +
        'control moved. If what you changed bears on a control as well, its row shows that change, and hides others.',
    `In brackets, the interval of ${(confidence * 100).toFixed(3)} % confidence.`,
  ];
}

/** The comparisons by pair of paths, as rows of a table or a plot. */
export function pairsOf({ shapes }: Compared): {
  title: string;
  rows: { label: string; comparison: RunComparison; text: string }[];
}[] {
  const pairs = shapes[0]?.comparisons ?? [];
  return pairs.map(({ path, before, control }, index) => ({
    title:
      path === before
        ? `${PATHS[path].title}${control ? ' (control)' : ''}, now against then`
        : `${PATHS[path].title} now against ${PATHS[before].title} then`,
    rows: shapes.flatMap(({ comparisons, ...shape }) => {
      const comparison = comparisons[index];
      return comparison === undefined
        ? []
        : [{ label: describeShape(shape), comparison, text: formatRatio(comparison) }];
    }),
  }));
}
