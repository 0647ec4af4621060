import type { BenchResult, ShapeResult } from './bench.js';
import { againstBaseline } from './format.js';
import { BASELINE, PATHS, type PathId } from './plan.js';

const KINDS: readonly { readonly kind: ShapeResult['kind']; readonly title: string }[] = [
  { kind: 'round-trip', title: 'Round trips' },
  { kind: 'throughput', title: 'Throughput' },
  { kind: 'connects', title: 'Connects' },
];

/** What a program can use instead. On one end alone the fast path is plain TCP (B1). */
const CHOICES: readonly PathId[] = ['tcp4-fast', 'tcp6', 'pipe'];

/** In how many shapes of a kind a path was what. */
interface Tally {
  readonly path: PathId;
  readonly faster: number;
  readonly slower: number;
  /** With a verdict either way or the other. */
  readonly judged: number;
}

/** One sentence for each kind of traffic, from the verdicts and nothing else. */
export function recommend(result: BenchResult): string[] {
  // Nothing to choose between, or of no meaning.
  if (result.settings.same || result.system.wine) return [];
  return KINDS.flatMap(({ kind, title }) => {
    const shapes = result.shapes.filter((shape) => shape.kind === kind);
    return shapes.length === 0 ? [] : `${title}: ${adviceFor(CHOICES.map((path) => tally(shapes, path)))}`;
  });
}

function tally(shapes: readonly ShapeResult[], path: PathId): Tally {
  const verdicts = shapes.flatMap((shape) => againstBaseline(shape, path)?.verdict ?? []);
  const count = (wanted: string) => verdicts.filter((verdict) => verdict === wanted).length;
  return {
    path,
    faster: count('faster'),
    slower: count('slower'),
    judged: verdicts.length - count('too few rounds'),
  };
}

function adviceFor(tallies: readonly Tally[]): string {
  const known = tallies.filter(({ judged }) => judged > 0);
  const better = known.filter(({ faster, slower }) => faster > 0 && slower === 0);
  const mixed = known.filter(({ faster, slower }) => faster > 0 && slower > 0);
  const worse = known.filter(({ faster, slower }) => faster === 0 && slower > 0);
  const plain = PATHS[BASELINE].title;
  const list = (of: readonly Tally[], how: (tally: Tally) => string) => of.map(how).join('; ');
  const title = ({ path }: Tally) => PATHS[path].title;
  const won = (one: Tally) => `${title(one)} (faster in ${one.faster} of ${one.judged} shapes, slower in none)`;
  const both = (one: Tally) =>
    `${title(one)} is faster in ${one.faster} and slower in ${one.slower} of ${one.judged} shapes`;
  const lost = (one: Tally) => `${title(one)} is slower in ${one.slower} of ${one.judged} shapes, faster in none`;

  if (known.length === 0) return 'too few rounds to say.';
  if (better.length === 1) return `${list(better, won)}.`;
  if (better.length > 1)
    return `each of these beats ${plain}: ${list(better, won)}. They were not compared with each other.`;
  if (mixed.length > 0) return `it depends on the shape. ${list(mixed, both)}.`;
  if (worse.length > 0) return `stay with ${plain}. ${list(worse, lost)}.`;
  return 'no difference found.';
}
