import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { BenchResult } from '../../dist/cli/bench/bench.js';
import { compareRuns, type Report } from '../../dist/cli/bench/compare.js';
import { htmlReport } from '../../dist/cli/bench/html-report.js';
import { describeShape, type PathId, QUICK_SHAPES } from '../../dist/cli/bench/plan.js';
import { recommend } from '../../dist/cli/bench/recommend.js';
import { readSavedResult } from '../../dist/cli/bench/saved.js';
import { seededRandom, type Verdict } from '../../dist/cli/bench/statistics.js';
import { textReport } from '../../dist/cli/bench/text-report.js';
import { paintFor } from '../../dist/cli/paint.js';
import { inventedResult } from '../support/bench-result.mjs';
import { cli } from '../support/cli.js';
import { normal } from '../support/noise.js';

// Arithmetic and text, the same on every system. No figure here was measured.

type Factors = { readonly [path in PathId]?: number };

/** A run in which each path has a speed of its own, with noise of 3 %. */
function run(factors: Factors, { loopback, seed = 1 }: { loopback?: string; seed?: number } = {}): BenchResult {
  const random = seededRandom(seed);
  const base = inventedResult() as BenchResult;
  const ids = Object.keys(factors) as PathId[];
  return {
    ...base,
    system: { ...base.system, name: 'Windows invented' },
    ...(loopback === undefined ? {} : { loopback: { loopbackexecutionmode: { value: loopback } } }),
    paths: ids.map((id) => ({ id, title: id })),
    shapes: QUICK_SHAPES.map((shape) => ({
      ...shape,
      title: describeShape(shape),
      comparisons: [],
      measured: ids.map((path) => {
        const speeds = Array.from({ length: 20 }, () => (factors[path] ?? 1) * 1000 * Math.exp(normal(random) * 0.03));
        return { path, speeds, speed: 1 };
      }),
    })),
  };
}

const BEFORE = { tcp4: 1, 'tcp4-fast': 1.5, pipe: 2 };

/** The verdicts of a pair, each once. */
function verdicts(now: BenchResult, before: BenchResult, path: PathId, other: PathId = path): string[] {
  const { shapes } = compareRuns(now, before);
  expect(shapes).toHaveLength(QUICK_SHAPES.length);
  const all = shapes.flatMap(({ comparisons }) =>
    comparisons.filter((one) => one.path === path && one.before === other).map(({ verdict }) => verdict),
  );
  return [...new Set(all)];
}

const SAME = 'no measurable difference';

describe('a run compared with a saved one', () => {
  test('the same machine, nothing changed: no difference', () => {
    const [now, before] = [run(BEFORE, { seed: 2 }), run(BEFORE)];
    expect(verdicts(now, before, 'tcp4-fast')).toEqual([SAME]);
    expect(verdicts(now, before, 'tcp4')).toEqual([SAME]);
  });

  test('what moved by more than the controls did is faster or slower', () => {
    expect(verdicts(run({ ...BEFORE, 'tcp4-fast': 3 }, { seed: 2 }), run(BEFORE), 'tcp4-fast')).toEqual(['faster']);
    expect(verdicts(run({ ...BEFORE, 'tcp4-fast': 1 }, { seed: 2 }), run(BEFORE), 'tcp4-fast')).toEqual(['slower']);
  });

  test('what moved with the controls is no finding: the whole machine is another', () => {
    const slower = { tcp4: 0.7, 'tcp4-fast': 0.7 * 1.5, pipe: 0.7 * 2 };
    const now = run(slower, { seed: 2 });
    expect(verdicts(now, run(BEFORE), 'tcp4-fast')).toEqual(['no more than the controls']);
    // They themselves are said as they are.
    expect(verdicts(now, run(BEFORE), 'pipe')).toEqual(['slower']);
    // One control that moved is enough.
    const one = run({ ...BEFORE, 'tcp4-fast': 1.2, pipe: 1.5 }, { seed: 2 });
    expect(verdicts(one, run(BEFORE), 'tcp4-fast')).toEqual(['no more than the controls']);
  });

  test('a setting for IPv4 that was changed takes plain IPv4 out of the controls, and is measured by the others', () => {
    const before = run(BEFORE, { loopback: 'adaptive' });
    const now = run({ ...BEFORE, tcp4: 2, 'tcp4-fast': 1.5 }, { loopback: 'inline', seed: 2 });
    expect(verdicts(now, before, 'tcp4')).toEqual(['faster']);
    // And the one instead of the other: plain TCP with the setting, the fast path without.
    expect(verdicts(now, before, 'tcp4', 'tcp4-fast')).toEqual(['faster']);
    const { changed, shapes } = compareRuns(now, before);
    expect(changed).toEqual(['loopbackexecutionmode adaptive → inline']);
    expect(shapes[0]?.comparisons.filter(({ control }) => control).map(({ path }) => path)).toEqual(['pipe']);
    // Where netsh did not say, it stays one.
    const unknown = compareRuns(now, run(BEFORE));
    expect(unknown.shapes[0]?.comparisons.filter(({ control }) => control).map(({ path }) => path)).toEqual([
      'tcp4',
      'pipe',
    ]);
  });

  test('without a control there is no verdict', () => {
    const before = run({ 'tcp4-fast': 1 });
    expect(verdicts(run({ 'tcp4-fast': 2 }, { seed: 2 }), before, 'tcp4-fast')).toEqual(['no control']);
    expect(text({ ...run(BEFORE), compared: compareRuns(run({ 'tcp4-fast': 2 }), before) })).toContain(
      'There is no control',
    );
  });

  test('too few rounds say nothing', () => {
    const before = run(BEFORE);
    const few = before.shapes.map((shape) => ({
      ...shape,
      measured: shape.measured.map((one) => ({ ...one, speeds: one.speeds.slice(0, 5) })),
    }));
    expect(verdicts(run(BEFORE), { ...before, shapes: few }, 'pipe')).toEqual(['too few rounds']);
  });

  test('shapes of one run only are left out; having none in common is reported', () => {
    const before = run(BEFORE);
    const compared = compareRuns(run(BEFORE), { ...before, shapes: before.shapes.slice(0, 2) });
    expect(compared.shapes).toHaveLength(2);
    const none = compareRuns(run(BEFORE), { ...before, shapes: [] });
    expect(text({ ...run(BEFORE), compared: none })).toContain('No shape of traffic was measured in both runs.');
  });

  test('reports what else has changed', () => {
    const before = run(BEFORE);
    const then = { ...before, version: '0.0.1', system: { ...before.system, node: 'v1', cpu: 'Other', cores: 2 } };
    expect(compareRuns(run(BEFORE), then).changed).toEqual([
      'processor 2 × Other → 8 × Invented & Sons',
      'Node v1 → v0.0.0',
      'loopback-fast-path 0.0.1 → 0.0.0',
    ]);
  });

  const compared = () => compareRuns(run({ ...BEFORE, 'tcp4-fast': 3 }, { seed: 2 }), run(BEFORE));

  test('as text: what it cannot know comes before the figures', () => {
    const said = text({ ...run(BEFORE), compared: compared() });
    expect(said).toContain('made at different times and are not interleaved');
    expect(said).toContain('Controls, taken as left alone: TCP IPv4, Unix socket.');
    expect(said).toContain('TCP IPv4 (control), now against then');
    expect(said).toContain('TCP IPv4 now against TCP IPv4, fast path then');
    expect(said).toMatch(/round trip of 64 B, 1 connection +[12]\.\d\d× \(.* to .*\) +faster/);
  });

  test('as a page: the same, and text stays text', () => {
    const page = htmlReport({ ...run(BEFORE), compared: { ...compared(), system: '<b>bold</b>' } });
    expect(page).toContain('<h2 id="compared">Against the earlier run</h2>');
    expect(page).toContain('not interleaved');
    expect(page).toContain('&lt;b&gt;bold&lt;/b&gt;');
    expect(page).not.toMatch(/<script|<b>|src=|https?:/);
    const ids = [...page.matchAll(/ id="([^"]*)"/g)].map(([, id]) => id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(htmlReport(run(BEFORE))).not.toContain('Against the earlier run');
  });
});

function text(result: Report): string {
  return textReport(result, paintFor({ isTTY: false } as NodeJS.WriteStream));
}

/** A file of the test's own. */
function fileWith(content: string | Buffer): string {
  const folder = mkdtempSync(join(tmpdir(), 'compare-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, 'before.json');
  writeFileSync(file, content);
  return file;
}

describe('a saved run', () => {
  const saved = () => JSON.parse(JSON.stringify(run(BEFORE, { loopback: 'inline' })));

  test('is read as it was printed, also from the UTF-16 of PowerShell 5', () => {
    const json = JSON.stringify(saved());
    const read = readSavedResult(fileWith(json));
    expect(read).toMatchObject({ loopback: { loopbackexecutionmode: { value: 'inline' } } });
    expect(compareRuns(run(BEFORE), read)).toEqual(compareRuns(run(BEFORE), saved()));
    expect(readSavedResult(fileWith(Buffer.from(`\ufeff${json}`, 'utf16le')))).toEqual(read);
    expect(readSavedResult(fileWith(`\ufeff${json}`))).toEqual(read);
  });

  test('a path that a later version may have is left out, and nothing moves the cursor', () => {
    const other = saved();
    other.shapes[0].measured[0].path = 'tcp9';
    other.system.cpu = 'Chip\x1b[2J';
    const read = readSavedResult(fileWith(JSON.stringify(other)));
    expect(read.shapes[0]?.measured.map(({ path }) => path)).toEqual(['tcp4-fast', 'pipe']);
    expect(read.system.cpu).toBe('Chip[2J');
  });

  test.each([
    ['no "tool" of that name', { tool: 'other' }],
    ['system is no object', { system: 4 }],
    ['date is no text', { date: undefined }],
    ['shapes is no list', { shapes: {} }],
    ['shapes[0] is no object', { shapes: [null] }],
    ['shapes[0].kind is of no known kind', { shapes: [{ kind: '__proto__' }] }],
    ['shapes[0].measured is no list', { shapes: [{ kind: 'connects', bytes: 0, connections: 1 }] }],
    ['loopback.x is no object', { loopback: { x: 1 } }],
    ...[0, -1, '1', {}].map((speed): [string, object] => [
      `shapes[0].measured[0].speeds ${typeof speed === 'number' ? 'has one that is not above 0' : 'is no number'}`,
      { shapes: [{ kind: 'connects', bytes: 0, connections: 1, measured: [{ path: 'tcp4', speeds: [speed] }] }] },
    ]),
  ])('with %s is refused', (what, wrong) => {
    const file = fileWith(JSON.stringify({ ...saved(), ...wrong }));
    expect(() => readSavedResult(file)).toThrow(`--compare: '${file}' is not what "bench --json" prints: ${what}`);
  });

  test('is looked at before anything is measured', async () => {
    const missing = await cli(['bench', '--compare', '/not/there.json']);
    expect(missing).toMatchObject({ code: 2, stdout: '' });
    expect(missing.stderr).toMatch(/^--compare: ENOENT: .*\n$/);
    const wrong = await cli(['bench', '--compare', fileWith('{')]);
    expect(wrong).toMatchObject({ code: 2, stdout: '' });
    expect(wrong.stderr).toMatch(/^--compare: '.*' is not what "bench --json" prints: .*\n$/);
  });

  test('--compare puts a real run beside a real one', { timeout: 60_000 }, async () => {
    const quick = ['bench', '--quick', '--seconds', '3'];
    const first = await cli([...quick, '--json']);
    const file = fileWith(first.stdout);
    const { code, stdout } = await cli([...quick, '--json', '--compare', file]);
    expect(code).toBe(0);
    const { compared } = JSON.parse(stdout) as Report;
    expect(compared?.shapes).toHaveLength(8);
    expect(compared?.changed).toEqual([]);
    for (const { comparisons } of compared?.shapes ?? []) {
      const plain = comparisons.find(({ path, before }) => path === 'tcp4' && before === 'tcp4');
      expect(plain).toMatchObject({ control: true });
      if (plain?.verdict !== 'too few rounds') expect(plain?.ratio).toBeGreaterThan(0);
    }
  });
});

describe('the recommendation', () => {
  /** A run in which each path has these verdicts in the two shapes of each kind. */
  function judged(paths: { readonly [path in PathId]?: readonly [Verdict, Verdict] }): BenchResult {
    const base = run({ tcp4: 1 });
    const seen = new Map<string, number>();
    const shapes = base.shapes
      .filter(({ kind, bytes }) => kind !== 'round-trip' || bytes === 64)
      .map((shape) => {
        const index = seen.get(shape.kind) ?? 0;
        seen.set(shape.kind, index + 1);
        const comparisons = Object.entries(paths).map(([path, list]) => ({
          ...{ path: path as PathId, baseline: 'tcp4' as const },
          verdict: list[index] as Verdict,
        }));
        return { ...shape, comparisons };
      });
    return { ...base, shapes };
  }
  const advice = (paths: Parameters<typeof judged>[0]) => {
    const [first, ...others] = recommend(judged(paths)).map((line) => line.split(': ').slice(1).join(': '));
    // One for each kind, and here the same for all.
    expect(others).toEqual([first, first]);
    return first;
  };

  test.each([
    [
      'the one that is faster and never slower',
      { 'tcp4-fast': ['faster', SAME], pipe: ['slower', 'slower'] },
      'TCP IPv4, fast path (faster in 1 of 2 shapes, slower in none).',
    ],
    [
      'two that are: nobody compared them',
      { 'tcp4-fast': ['faster', SAME], pipe: ['faster', 'faster'] },
      'each of these beats TCP IPv4: TCP IPv4, fast path (faster in 1 of 2 shapes, slower in none); Unix socket (faster in 2 of 2 shapes, slower in none). They were not compared with each other.',
    ],
    [
      'one that is both',
      { 'tcp4-fast': ['faster', 'slower'] },
      'it depends on the shape. TCP IPv4, fast path is faster in 1 and slower in 1 of 2 shapes.',
    ],
    [
      'one that is slower',
      { 'tcp4-fast': ['slower', SAME], pipe: [SAME, SAME] },
      'stay with TCP IPv4. TCP IPv4, fast path is slower in 1 of 2 shapes, faster in none.',
    ],
    ['no difference', { 'tcp4-fast': [SAME, SAME], pipe: [SAME, 'too few rounds'] }, 'no difference found.'],
    ['too little', { 'tcp4-fast': ['too few rounds', 'too few rounds'] }, 'too few rounds to say.'],
    // One end alone is plain TCP (B1), whatever chance says.
    ['one end', { 'tcp4-fast-client': ['faster', 'faster'], pipe: [SAME, SAME] }, 'no difference found.'],
  ] as const)('%s', (_what, paths, text) => {
    expect(advice(paths)).toBe(text);
  });

  test('is one sentence for each kind of traffic, at the end of the report and on the page', () => {
    const result = judged({ 'tcp4-fast': [SAME, SAME] });
    const lines = ['Round trips', 'Throughput', 'Connects'].map((kind) => `${kind}: no difference found.`);
    expect(text(result).split('\n').slice(-4)).toEqual(['Recommended here', ...lines]);
    for (const line of lines) expect(htmlReport(result)).toContain(`<li>${line}</li>`);
  });

  test('is not made of the same against the same, nor of Wine', () => {
    const result = judged({ 'tcp4-fast': ['faster', 'faster'] });
    expect(recommend({ ...result, settings: { ...result.settings, same: true } })).toEqual([]);
    expect(recommend({ ...result, system: { ...result.system, wine: true } })).toEqual([]);
  });
});
