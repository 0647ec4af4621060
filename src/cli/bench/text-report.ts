import type { Paint } from '../paint.js';
import { describeSystem } from '../system.js';
import type { Measured, ShapeResult } from './bench.js';
import { type Compared, describeCompared, pairsOf, type Report } from './compare.js';
import { againstBaseline, caveats, formatLatency, formatRatio, formatSpeed, legend, summary } from './format.js';
import { PATHS } from './plan.js';
import { recommend } from './recommend.js';

const BAR = 16;

/** A table and bars for the terminal. */
export function textReport(result: Report, paint: Paint): string {
  const lines = [
    paint.bold(`loopback-fast-path ${result.version} bench`),
    describeSystem(result.system),
    ...caveats(result).map((text) => paint.bad(text)),
    ...result.leftOut.map(({ title, reason }) => paint.dim(`Left out: ${title}. ${reason}`)),
  ];
  for (const shape of result.shapes) lines.push('', ...table(shape, paint));
  lines.push('', paint.dim(`Bars: longer is faster. ${legend(result)}`), '');
  lines.push(...summary(result), `It took ${result.seconds} s.`);
  if (result.compared !== undefined) lines.push('', ...comparedTables(result.compared, paint));
  const advice = recommend(result);
  if (advice.length > 0) lines.push('', paint.bold('Recommended here'), ...advice);
  // Again, where nobody scrolls past it.
  if (result.system.wine) lines.push(paint.bad('Measured on Wine: not Windows figures.'));
  return lines.join('\n');
}

function table(shape: ShapeResult, paint: Paint): string[] {
  const isRoundTrip = shape.kind === 'round-trip';
  const heads = isRoundTrip ? ['mean', 'p50', 'p90', 'p99', 'p99.9'] : ['speed'];
  const widths = {
    title: Math.max(...shape.measured.map(({ path }) => PATHS[path].title.length)),
    figure: isRoundTrip ? 9 : 12,
  };
  const head = `  ${''.padEnd(widths.title)} ${heads.map((text) => text.padStart(widths.figure)).join(' ')}`;
  const fastest = Math.max(...shape.measured.map(({ speed }) => speed ?? 0));
  const row = (measured: Measured) => {
    const { path, speed, failure } = measured;
    const title = PATHS[path].title.padEnd(widths.title);
    if (speed === null) return `  ${title} ${paint.bad(failure ?? 'not measured')}`;
    const figures = [formatSpeed(shape, speed), ...formatLatency(measured)];
    const bar = '█'.repeat(Math.max(1, Math.round((BAR * speed) / fastest)));
    const comparison = againstBaseline(shape, path);
    const verdict = comparison === undefined ? '' : `${formatRatio(comparison).padEnd(21)} ${comparison.verdict}`;
    const note = failure === undefined ? '' : ` ${paint.bad(`then failed: ${failure}`)}`;
    const columns = figures.map((text) => text.padStart(widths.figure)).join(' ');
    return `  ${title} ${columns}  ${paint.dim(bar.padEnd(BAR))} ${tint(verdict, comparison?.verdict, paint)}${note}`.trimEnd();
  };
  return [paint.bold(shape.title), paint.dim(head), ...shape.measured.map(row)];
}

/** This run beside the one that was saved. */
function comparedTables(compared: Compared, paint: Paint): string[] {
  const pairs = pairsOf(compared);
  const width = Math.max(...pairs.flatMap(({ rows }) => rows.map(({ label }) => label.length)));
  return [
    paint.bold('Against the earlier run'),
    ...describeCompared(compared),
    ...pairs.flatMap(({ title, rows }) => [
      '',
      paint.bold(title),
      ...rows.map(({ label, comparison: { verdict }, text }) =>
        `  ${label.padEnd(width)} ${tint(`${text.padEnd(21)} ${verdict}`, verdict, paint)}`.trimEnd(),
      ),
    ]),
  ];
}

function tint(text: string, verdict: string | undefined, paint: Paint): string {
  if (verdict === 'faster') return paint.good(text);
  return verdict === 'slower' ? paint.bad(text) : text;
}
