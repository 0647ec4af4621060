// Draws bench/history.svg from bench/history.jsonl: a panel for each figure, a dot with its
// interval for each step, so that it shows when something got slower or bigger.

import { readFileSync, writeFileSync } from 'node:fs';
import { escapeHtml } from '../dist/cli/bench/plots.js';

const file = (name) => new URL(name, import.meta.url);
const steps = readFileSync(file('history.jsonl'), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line));
const names = [...new Set(steps.flatMap(({ figures }) => figures.map(({ name }) => name)))];

const [WIDTH, HEIGHT, LEFT, RIGHT] = [640, 110, 70, 620];
const text = (x, y, content, anchor = 'start') =>
  `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" text-anchor="${anchor}">${escapeHtml(content)}</text>`;
const line = (x1, y1, x2, y2, colour) =>
  `<line x1="${x1.toFixed(1)}" y1="${y1.toFixed(1)}" x2="${x2.toFixed(1)}" y2="${y2.toFixed(1)}" stroke="${colour}"/>`;
const short = (value) => (Number.isInteger(value) ? String(value) : value.toPrecision(3));

/** One figure over all steps, each panel with a scale of its own. */
function panel(name, index) {
  const top = index * HEIGHT + 24;
  const bottom = top + HEIGHT - 46;
  const points = steps.flatMap(({ figures }, step) => {
    const found = figures.find((each) => each.name === name);
    return found === undefined ? [] : { step, low: found.value, high: found.value, ...found };
  });
  const [low, high] = [Math.min(...points.map((each) => each.low)), Math.max(...points.map((each) => each.high))];
  const margin = (high - low) * 0.1 || Math.abs(high) * 0.05;
  const y = (value) => bottom - ((value - low + margin) / (high - low + 2 * margin)) * (bottom - top);
  const x = (step) => LEFT + ((step + 0.5) / steps.length) * (RIGHT - LEFT);
  return [
    text(LEFT, top - 6, name),
    ...[low, high].slice(low === high ? 1 : 0).map((value) => text(LEFT - 6, y(value) + 4, short(value), 'end')),
    line(LEFT, bottom, RIGHT, bottom, '#999'),
    ...points
      .slice(1)
      .map((point, i) => line(x(points[i].step), y(points[i].value), x(point.step), y(point.value), '#bbb')),
    ...points.map((point) => line(x(point.step), y(point.low), x(point.step), y(point.high), '#06c')),
    ...points.map(
      ({ step, value }) => `<circle cx="${x(step).toFixed(1)}" cy="${y(value).toFixed(1)}" r="3" fill="#06c"/>`,
    ),
    ...steps.map(({ commit }, step) => text(x(step), bottom + 12, commit.slice(0, 7), 'middle')),
  ].join('\n');
}

const height = names.length * HEIGHT + 40;
const systems = [...new Set(steps.map(({ system }) => system))].join('; ');
writeFileSync(
  file('history.svg'),
  `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" font-family="sans-serif" font-size="10">
<title>What the package costs, commit by commit</title>
<rect width="100%" height="100%" fill="white"/>
${names.map(panel).join('\n')}
${text(LEFT, height - 14, `${systems}. Ratios are of speed: less than 1 is slower.`)}
</svg>
`,
);
