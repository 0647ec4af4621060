// One page with plots, for those who would rather look than read: no script, no
// request, nothing but text and SVG.

import { describeSystem } from '../system.js';
import type { BenchResult, ShapeResult } from './bench.js';
import { describeCompared, pairsOf, type Report } from './compare.js';
import {
  againstBaseline,
  caveats,
  formatLatency,
  formatRatio,
  formatSpeed,
  formatTime,
  knownPercentiles,
  legend,
  summary,
} from './format.js';
import { BASELINE, PATHS } from './plan.js';
import { bars, escapeHtml, percentiles, ratios } from './plots.js';
import { recommend } from './recommend.js';

/** The page. Whatever is text in the result is text on it. */
export function htmlReport(result: Report): string {
  const title = `loopback-fast-path bench${result.system.wine ? ' on Wine' : ''}`;
  const notes = caveats(result).map((text) => `<p class="caveat" role="note">${escapeHtml(text)}</p>`);
  const missing = result.leftOut.map(({ title, reason }) => `<li>${escapeHtml(title)}: ${escapeHtml(reason)}</li>`);
  const advice = recommend(result).map((text) => `<li>${escapeHtml(text)}</li>`);
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escapeHtml(title)}</title>
<link rel="icon" href="data:,">
<style>${STYLE}</style>
</head>
<body>
<header>
<h1>${escapeHtml(title)}</h1>
<p>${escapeHtml(describeSystem(result.system))}</p>
<p class="quiet">loopback-fast-path ${escapeHtml(result.version)}, <time datetime="${escapeHtml(result.date)}">${escapeHtml(result.date.slice(0, 16).replace('T', ' '))} UTC</time>, ${result.seconds} s</p>
${notes.join('\n')}
</header>
<main>
<section aria-labelledby="short">
<h2 id="short">In short</h2>
<ul>${summary(result)
    .map((text) => `<li>${escapeHtml(text)}</li>`)
    .join('')}</ul>
${advice.length === 0 ? '' : `<h3>Recommended here</h3><ul>${advice.join('')}</ul>`}
${missing.length === 0 ? '' : `<h3>Left out</h3><ul class="quiet">${missing.join('')}</ul>`}
</section>
<section aria-labelledby="ratios">
<h2 id="ratios">Against ${escapeHtml(PATHS[BASELINE].title)}</h2>
<p class="quiet">${escapeHtml(legend(result))}</p>
<div class="plots">${result.paths
    .filter(({ id }) => id !== BASELINE)
    .map((path) => ratioFigure(result, path))
    .join('\n')}</div>
</section>
<section aria-labelledby="figures">
<h2 id="figures">Figures</h2>
<div class="plots">${result.shapes.map(shapeFigure).join('\n')}</div>
</section>
${comparedSection(result)}
</main>
</body>
</html>
`;
}

/** One path in all shapes. */
function ratioFigure(result: BenchResult, { id, title }: BenchResult['paths'][number]): string {
  const rows = result.shapes.flatMap((shape) => {
    const found = againstBaseline(shape, id);
    return found === undefined ? [] : [{ label: shape.title, comparison: found, text: formatRatio(found) }];
  });
  if (rows.length === 0) return '';
  const cells = rows.map(({ label, comparison, text }) => [label, text || '–', comparison.verdict]);
  return figure(
    title,
    ratios(title, 'plain TCP', rows),
    table(`${title}, by shape`, ['shape', 'ratio', 'verdict'], cells),
  );
}

/** This run beside the one that was saved; nothing without one. */
function comparedSection({ compared }: Report): string {
  if (compared === undefined) return '';
  const notes = describeCompared(compared).map((text) => `<p>${escapeHtml(text)}</p>`);
  const figures = pairsOf(compared).map(({ title, rows }) => {
    const cells = rows.map(({ label, comparison, text }) => [label, text || '–', comparison.verdict]);
    return figure(
      title,
      ratios(title, 'before', rows),
      table(`${title}, by shape`, ['shape', 'ratio', 'verdict'], cells),
    );
  });
  return `<section aria-labelledby="compared">
<h2 id="compared">Against the earlier run</h2>
${notes.join('\n')}
<div class="plots">${figures.join('\n')}</div>
</section>`;
}

/** All paths in one shape. */
function shapeFigure(shape: ShapeResult): string {
  const isRoundTrip = shape.kind === 'round-trip';
  const rows = shape.measured.map((measured) => ({ ...measured, label: PATHS[measured.path].title }));
  const plot = isRoundTrip
    ? percentiles(
        shape.title,
        rows.map(({ label, latency }) => ({
          label,
          marks: knownPercentiles(latency),
        })),
        formatTime,
      )
    : bars(
        shape.title,
        rows.map(({ label, speed }) => ({ label, value: speed ?? 0, text: formatSpeed(shape, speed) })),
      );
  const heads = isRoundTrip ? ['mean', 'p50', 'p90', 'p99', 'p99.9'] : ['speed'];
  const cells = rows.map((row) => {
    const figures = [formatSpeed(shape, row.speed), ...formatLatency(row)];
    return [row.label, ...figures.concat(heads.map(() => '–')).slice(0, heads.length), row.failure ?? ''];
  });
  const failed = rows.some(({ failure }) => failure !== undefined);
  const trimmed = failed ? cells : cells.map((row) => row.slice(0, -1));
  return figure(
    shape.title,
    plot,
    table(`${shape.title}, by path`, ['path', ...heads, ...(failed ? ['failed'] : [])], trimmed),
  );
}

function figure(title: string, plot: string, table: string): string {
  return `<figure><figcaption><h3>${escapeHtml(title)}</h3></figcaption>${plot}<details><summary>As a table</summary>${table}</details></figure>`;
}

function table(name: string, heads: string[], rows: string[][]): string {
  const head = heads.map((text) => `<th scope="col">${escapeHtml(text)}</th>`).join('');
  const body = rows.map(
    ([first = '', ...rest]) =>
      `<tr><th scope="row">${escapeHtml(first)}</th>${rest.map((text) => `<td>${escapeHtml(text)}</td>`).join('')}</tr>`,
  );
  return `<div class="scroll" role="region" aria-label="${escapeHtml(name)}" tabindex="0"><table><thead><tr>${head}</tr></thead><tbody>${body.join('')}</tbody></table></div>`;
}

const STYLE = `
:root { color-scheme: light dark; --back: #ffffff; --card: #f6f8fa; --text: #1f2328; --quiet: #59636e; --line: #d1d9e0; --bar: #0969da; --faster: #1a7f37; --slower: #d1242f; --same: #59636e; --caveat: #fff8c5; }
@media (prefers-color-scheme: dark) { :root { --back: #0d1117; --card: #151b23; --text: #f0f6fc; --quiet: #9198a1; --line: #3d444d; --bar: #4493f8; --faster: #3fb950; --slower: #f85149; --same: #9198a1; --caveat: #3b2f0a; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 1180px; padding: 1.25rem 1rem 3rem; background: var(--back); color: var(--text); font: 16px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.6rem; margin: 0 0 .25rem; } h2 { font-size: 1.25rem; margin: 2rem 0 .5rem; } h3 { font-size: 1rem; margin: 0; }
p { margin: .25rem 0; } ul { margin: .25rem 0; padding-left: 1.25rem; }
.quiet { color: var(--quiet); font-size: .875rem; overflow-wrap: anywhere; } 
.caveat { background: var(--caveat); border: 1px solid var(--line); border-radius: 6px; padding: .5rem .75rem; font-weight: 600; }
.plots { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 340px), 1fr)); gap: 1rem; margin-top: .75rem; align-items: start; }
figure { margin: 0; padding: .75rem; background: var(--card); border: 1px solid var(--line); border-radius: 8px; min-width: 0; }
svg { display: block; width: 100%; height: auto; margin: .5rem 0; } svg text { font: 12px system-ui, sans-serif; fill: var(--text); } svg .axis { fill: var(--quiet); font-size: 11px; }
svg .rule { stroke: var(--line); } svg .one { stroke: var(--quiet); } svg .bar { fill: var(--bar); } svg .span { stroke: var(--bar); stroke-width: 2; }
svg .faster { --mark: var(--faster); } svg .slower { --mark: var(--slower); } svg .same { --mark: var(--same); } svg .mark { fill: var(--mark); } svg .whisker { stroke: var(--mark); stroke-width: 2; }
svg g[tabindex]:focus { outline: 2px solid var(--bar); outline-offset: 1px; }
summary { cursor: pointer; color: var(--quiet); font-size: .875rem; }
.scroll { overflow-x: auto; } table { border-collapse: collapse; font-size: .8125rem; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: .25rem .5rem .25rem 0; border-bottom: 1px solid var(--line); vertical-align: top; } td { white-space: nowrap; } th[scope=row] { font-weight: 400; min-width: 9rem; }
`;
