// `npm run test:browser`: the page of `bench --html` in a real browser, on a desktop
// and a phone, light and dark. Screenshots stay in build/screenshots.

import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { installSystemPackages } from './root.js';
import { buildTypeScript, installDependencies, isMain, root } from './run.js';

const BROWSERS = ['/usr/bin/chromium', '/usr/bin/google-chrome', '/usr/bin/chromium-browser'];
const FLAGS = [
  ...['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking'],
  ...['--disable-component-update', '--disable-sync'],
];
const SIZES = { desktop: { width: 1280, height: 900 }, phone: { width: 375, height: 800 } };

function findBrowser() {
  const found = () => BROWSERS.find(existsSync);
  if (found() === undefined) installSystemPackages(['chromium']);
  return found() ?? BROWSERS[0];
}

/** What is wrong with the page as it is shown now. Runs in the browser. */
function problemsOnPage() {
  const problems = [];
  const say = (wrong, text) => wrong && problems.push(text);
  const style = (element) => getComputedStyle(element);
  const channels = (color) =>
    color
      .match(/[\d.]+/g)
      .slice(0, 3)
      .map(Number);
  const luminance = (color) => {
    const [r, g, b] = channels(color).map((c) =>
      c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4,
    );
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const contrast = (a, b) => {
    const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y);
    return (high + 0.05) / (low + 0.05);
  };
  say(document.documentElement.scrollWidth > innerWidth, 'it is wider than the window');

  const plots = [...document.querySelectorAll('figure svg')];
  // Four paths against plain TCP, and fourteen shapes.
  say(plots.length !== 18, `${plots.length} plots`);
  for (const plot of plots) {
    const name = plot.querySelector('title').textContent;
    const { width, height } = plot.getBoundingClientRect();
    say(width < 250 || height < 100, `${name}: only ${width} by ${height}`);
    say(plot.querySelectorAll('.mark, .bar').length < 4, `${name}: nothing is drawn`);
    say(!['img', 'group'].includes(plot.getAttribute('role')), `${name}: no role`);
    for (const id of plot.getAttribute('aria-labelledby').split(' '))
      say(!document.getElementById(id)?.textContent, `${name}: no ${id}`);
    for (const mark of plot.querySelectorAll('.mark, .bar, text')) {
      const box = mark.getBoundingClientRect();
      const outer = plot.getBoundingClientRect();
      say(
        box.width === 0 || box.left < outer.left - 2 || box.right > outer.right + 2,
        `${name}: ${mark.outerHTML} is cut off`,
      );
    }
    // Labels of one row must not run into each other.
    const texts = [...plot.querySelectorAll('text')].map((text) => text.getBoundingClientRect());
    for (const [index, a] of texts.entries()) {
      for (const b of texts.slice(index + 1)) {
        say(
          a.left < b.right && b.left < a.right && a.top + 3 < b.bottom && b.top + 3 < a.bottom,
          `${name}: text over text`,
        );
      }
    }
    const scale = width / plot.viewBox.baseVal.width;
    for (const text of plot.querySelectorAll('text')) {
      say(Number.parseFloat(style(text).fontSize) * scale < 10, `${name}: "${text.textContent}" is too small`);
      say(
        contrast(style(text).fill, style(plot.closest('figure')).backgroundColor) < 4.5,
        `${name}: "${text.textContent}" is too pale`,
      );
    }
    for (const mark of plot.querySelectorAll('.mark, .bar')) {
      say(contrast(style(mark).fill, style(plot.closest('figure')).backgroundColor) < 3, `${name}: a mark is too pale`);
    }
    say(plot.closest('figure').querySelectorAll('tbody tr').length < 5, `${name}: no table beside it`);
  }
  const ids = [...document.querySelectorAll('[id]')].map(({ id }) => id);
  say(new Set(ids).size !== ids.length, 'an id is there twice');
  const back = style(document.body).backgroundColor;
  for (const text of document.querySelectorAll('p, li, h1, h2, summary'))
    say(contrast(style(text).color, back) < 4.5 && !text.matches('.caveat'), `"${text.textContent}" is too pale`);
  for (const markup of ['script', 'b', 'i']) say(document.querySelector(markup) !== null, `text became <${markup}>`);
  return { problems: [...new Set(problems)], back };
}

/** Walks through the page with the Tab key. @returns the names that a screen reader would say */
async function tabThrough(page) {
  const names = [];
  for (let i = 0; i < 120; ++i) {
    await page.keyboard.press('Tab');
    const name = await page.evaluate(() => {
      const { activeElement: active } = document;
      if (active === document.body) return undefined;
      const { outlineStyle, outlineWidth } = getComputedStyle(active);
      const seen = outlineStyle !== 'none' && Number.parseFloat(outlineWidth) > 0;
      return `${seen ? '' : 'NO OUTLINE '}${active.getAttribute('aria-label') ?? active.textContent}`;
    });
    if (name === undefined) break;
    names.push(name);
  }
  return names;
}

/** @returns {Promise<{ name: string, ok: boolean }[]>} */
export async function testBrowser() {
  const { chromium } = await import('playwright-core');
  const { htmlReport } = await import('../dist/cli/bench/html-report.js');
  const { inventedResult } = await import('../test/support/bench-result.mjs');
  const folder = join(root, 'build', 'screenshots');
  mkdirSync(folder, { recursive: true });
  const file = join(folder, 'page.html');
  writeFileSync(file, htmlReport(inventedResult({ wine: false, interrupted: true })));
  const userData = mkdtempSync(join(tmpdir(), 'chromium-'));
  const checks = [];
  const check = (name, problems) => {
    checks.push({ name, ok: problems.length === 0 });
    console.log(
      `${problems.length === 0 ? 'passed' : 'FAILED'}: ${name}${problems.map((text) => `\n  ${text}`).join('')}`,
    );
  };

  const context = await chromium.launchPersistentContext(userData, { executablePath: findBrowser(), args: FLAGS });
  try {
    const page = await context.newPage();
    const noise = [];
    page.on('console', (message) => noise.push(`console: ${message.text()}`));
    page.on('pageerror', (error) => noise.push(`error: ${error.message}`));
    page.on('request', (request) => {
      if (request.url() !== pathToFileURL(file).href && !request.url().startsWith('data:'))
        noise.push(`request: ${request.url()}`);
    });
    const backs = new Set();
    for (const [size, viewport] of Object.entries(SIZES)) {
      for (const colorScheme of ['light', 'dark']) {
        await page.setViewportSize(viewport);
        await page.emulateMedia({ colorScheme });
        await page.goto(pathToFileURL(file).href);
        const { problems, back } = await page.evaluate(problemsOnPage);
        backs.add(back);
        await page.screenshot({ path: join(folder, `${size}-${colorScheme}.png`), fullPage: true });
        check(`the page, ${size}, ${colorScheme}`, problems);
      }
    }
    check('dark is another page than light', backs.size === 2 ? [] : [[...backs].join(' ')]);

    const names = await tabThrough(page);
    const points = names.filter((name) =>
      /^(round trip|throughput|connects).*(faster|slower|no measurable difference|too few rounds)$/.test(name),
    );
    check('every ratio can be reached by keyboard, and is seen to be', [
      ...(points.length === 56 ? [] : [`${points.length} points`]),
      ...names.filter((name) => name.startsWith('NO OUTLINE')),
    ]);
    const spoken = await page.locator('main').ariaSnapshot();
    const wanted = [
      'group "TCP IPv4, fast path Ratios of speed',
      'img "round trip of 64 B, 1 connection: 1.60×',
      'img "connects, 1 at a time Bars, longer is faster.',
      'heading "Figures"',
    ];
    check(
      'a screen reader is told what is drawn',
      wanted.filter((text) => !spoken.includes(text)),
    );
    await page.locator('details').first().locator('summary').press('Enter');
    check('a table opens by keyboard', (await page.getByRole('region').first().isVisible()) ? [] : ['it does not']);
    check('no script, no request, nothing on the console', noise);
  } finally {
    await context.close();
    rmSync(userData, { recursive: true, force: true });
  }
  return checks;
}

if (isMain(import.meta.url)) {
  installDependencies();
  buildTypeScript();
  process.exitCode = (await testBrowser()).every(({ ok }) => ok) ? 0 : 1;
}
