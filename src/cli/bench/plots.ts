// The plots of the page, as SVG. All are 330 wide, so that their text is readable
// on a phone, and each has a name and a description; style is the page's.

import type { Ratio } from './statistics.js';

const WIDTH = 330;
const ROW = 38;
/** Where a row's label is written, and where its mark is drawn. */
const LABEL = 14;
const TRACK = 26;

/** Position on a logarithmic axis between two values. */
function logScale(low: number, high: number): (value: number) => number {
  const [from, to] = [Math.log(low), Math.log(high)];
  return (value) => ((Math.min(Math.max(Math.log(value), from), to) - from) / (to - from)) * (WIDTH - 20) + 10;
}

/** The lines of an axis at some values: beside the marks of each row, and not through its label. */
function gridLines(x: (value: number) => number, ticks: readonly number[], rows: number): string[] {
  return ticks.flatMap((tick) =>
    Array.from({ length: rows }, (_, index) => {
      const top = index * ROW + TRACK;
      const [at, kind] = [px(x(tick)), tick === 1 ? 'one' : 'rule'];
      return `<line class="${kind}" x1="${at}" x2="${at}" y1="${top - 8}" y2="${top + 8}"/>`;
    }),
  );
}

/** Ratios with their intervals: a dot and a whisker in each row, around a line at 1. */
export function ratios(
  title: string,
  against: string,
  rows: readonly { label: string; comparison: Partial<Ratio> & { verdict: string }; text: string }[],
): string {
  const bounds = rows.flatMap(({ comparison: { low, high } }) => [low ?? 1, high ?? 1]);
  // The same to both sides of 1, and no wider than what can be read.
  const reach = Math.min(Math.max(...bounds.map((bound) => Math.exp(Math.abs(Math.log(bound)))), 1.25), 8);
  const x = logScale(1 / reach, reach);
  const bottom = rows.length * ROW + 4;
  const candidates =
    reach > 2.5
      ? [0.125, 0.25, 0.5, 1, 2, 4, 8]
      : reach > 1.5
        ? [0.5, 0.67, 1, 1.5, 2]
        : [0.67, 0.8, 0.9, 1, 1.1, 1.25, 1.5];
  const ticks = candidates.filter((tick) => tick >= 1 / reach && tick <= reach);
  const grid = gridLines(x, ticks, rows.length);
  const axis = ticks.map(
    (tick) => `<text class="axis" text-anchor="middle" x="${px(x(tick))}" y="${bottom + 14}">${tick}×</text>`,
  );
  const marks = rows.map(({ label, comparison, text }, index) => {
    const { ratio, low, high, verdict } = comparison;
    const kind = verdict === 'faster' || verdict === 'slower' ? verdict : 'same';
    const name = `${label}: ${text} ${verdict}`;
    const top = index * ROW;
    const drawn =
      ratio === undefined || low === undefined || high === undefined
        ? ''
        : `<line class="whisker" x1="${px(x(low))}" x2="${px(x(high))}" y1="${top + TRACK}" y2="${top + TRACK}"/>${symbol(kind, x(ratio), top + TRACK)}`;
    const short = text.split(' ')[0] || '–';
    return `<g class="${kind}" role="img" tabindex="0" aria-label="${escapeHtml(name)}"><title>${escapeHtml(name)}</title><rect x="0" y="${top}" width="${WIDTH}" height="${ROW - 2}" fill="none" pointer-events="all"/><text x="0" y="${top + LABEL}">${escapeHtml(label)}</text><text x="${WIDTH}" y="${top + LABEL}" text-anchor="end">${escapeHtml(short)}</text>${drawn}</g>`;
  });
  const said = `Ratios of speed against ${against} on a logarithmic axis. ${rows.map(({ label, comparison }) => `${label}: ${comparison.verdict}`).join('; ')}.`;
  // Its points can be reached by keyboard, so it is a group and not one image.
  return drawing('group', title, said, bottom + 20, [...grid, ...axis, ...marks]);
}

/** Not by colour alone: up for faster, down for slower, a dot for neither. */
function symbol(kind: 'faster' | 'slower' | 'same', x: number, y: number): string {
  if (kind === 'same') return `<circle class="mark" cx="${px(x)}" cy="${y}" r="4.5"/>`;
  const [tip, base] = kind === 'faster' ? [y - 6, y + 5] : [y + 6, y - 5];
  return `<path class="mark" d="M${px(x)} ${tip}L${px(x + 6)} ${base}H${px(x - 6)}Z"/>`;
}

/** Bars from zero. */
export function bars(title: string, rows: readonly { label: string; value: number; text: string }[]): string {
  const most = Math.max(...rows.map(({ value }) => value));
  const marks = rows.map(({ label, value, text }, index) => {
    const top = index * ROW;
    const width = most > 0 ? (value / most) * WIDTH : 0;
    return `<text x="0" y="${top + LABEL}">${escapeHtml(label)}</text><text x="${WIDTH}" y="${top + LABEL}" text-anchor="end">${escapeHtml(text)}</text><rect class="bar" x="0" y="${top + LABEL + 5}" width="${px(width)}" height="10" rx="2"/>`;
  });
  const said = rows.map(({ label, text }) => `${label}: ${text}`).join('; ');
  return drawing('img', title, `Bars, longer is faster. ${said}.`, rows.length * ROW, marks);
}

/** A line from the first to the last percentile of each row, with a dot for each. */
export function percentiles(
  title: string,
  rows: readonly { label: string; marks: readonly number[] }[],
  format: (value: number) => string,
): string {
  const all = rows.flatMap(({ marks }) => marks);
  if (all.length === 0) return '';
  const [least, most] = [Math.min(...all) / 1.1, Math.max(...all) * 1.1];
  const x = logScale(least, most);
  const bottom = rows.length * ROW + 4;
  const decades = Array.from({ length: 10 }, (_, power) => 10 ** power).filter((tick) => tick > least && tick < most);
  const grid = gridLines(x, decades, rows.length);
  const axis = decades.map((tick) => {
    const at = Math.min(Math.max(x(tick), 24), WIDTH - 24);
    return `<text class="axis" text-anchor="middle" x="${px(at)}" y="${bottom + 14}">${escapeHtml(format(tick))}</text>`;
  });
  const drawn = rows.map(({ label, marks }, index) => {
    const top = index * ROW;
    const [first = least, last = first] = [marks[0], marks.at(-1)];
    const dots = marks.map(
      (mark, rank) => `<circle class="bar" cx="${px(x(mark))}" cy="${top + TRACK}" r="${rank === 0 ? 5 : 3}"/>`,
    );
    return `<text x="0" y="${top + LABEL}">${escapeHtml(label)}</text><text x="${WIDTH}" y="${top + LABEL}" text-anchor="end">${marks.length === 0 ? '–' : escapeHtml(format(first))}</text><line class="span" x1="${px(x(first))}" x2="${px(x(last))}" y1="${top + TRACK}" y2="${top + TRACK}"/>${dots.join('')}`;
  });
  const said = rows.map(({ label, marks }) => `${label}: ${marks.map(format).join(', ')}`).join('; ');
  const note = `<text class="axis" x="0" y="${bottom + 30}">Dots: p50 (large), p90, p99, p99.9. Left is faster.</text>`;
  return drawing('img', title, `p50, p90, p99, p99.9 on a logarithmic axis. ${said}.`, bottom + 36, [
    ...grid,
    ...axis,
    ...drawn,
    note,
  ]);
}

function drawing(role: 'img' | 'group', title: string, description: string, height: number, parts: string[]): string {
  const id = `plot-${title.toLowerCase().replace(/[^a-z0-9]+/g, '-')}`;
  return `<svg viewBox="0 0 ${WIDTH} ${height}" role="${role}" aria-labelledby="${id} ${id}-text"><title id="${id}">${escapeHtml(title)}</title><desc id="${id}-text">${escapeHtml(description)}</desc>${parts.join('')}</svg>`;
}

/** A coordinate, short. */
function px(value: number): string {
  return String(Math.round(value * 10) / 10);
}

/** Text as HTML and as an attribute. */
export function escapeHtml(text: string): string {
  const names: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
  return text.replace(/[&<>"']/g, (character) => names[character] ?? character);
}
