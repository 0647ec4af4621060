// The page of `bench --html` in a real browser. Screenshots stay in build/screenshots.

import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type BrowserContext, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { BenchResult } from '../../dist/cli/bench/bench.js';
import { htmlReport } from '../../dist/cli/bench/html-report.js';
import { installSystemPackages } from '../../tools/root.js';
import { root } from '../../tools/run.js';
import { inventedResult } from '../support/bench-result.mjs';
import { temporaryFolder } from '../support/package.js';
import { focused, problemsOnPage } from '../support/page.js';

const BROWSERS = ['/usr/bin/chromium', '/usr/bin/google-chrome', '/usr/bin/chromium-browser'];
const FLAGS = [
  ...['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking'],
  ...['--disable-component-update', '--disable-sync'],
];
const SIZES = { desktop: { width: 1280, height: 900 }, phone: { width: 375, height: 800 } };
const VIEWS = Object.entries(SIZES).flatMap(([size, viewport]) =>
  (['light', 'dark'] as const).map((colorScheme) => ({ size, viewport, colorScheme })),
);

const folder = join(root, 'build/screenshots');
const file = join(folder, 'page.html');
const url = pathToFileURL(file).href;
const userData = temporaryFolder();
const noise: string[] = [];
let context: BrowserContext;
let page: Page;

beforeAll(async () => {
  mkdirSync(folder, { recursive: true });
  writeFileSync(file, htmlReport(inventedResult({ wine: false, interrupted: true }) as BenchResult));
  if (!BROWSERS.some((path) => existsSync(path))) await installSystemPackages(['chromium']);
  const executablePath = BROWSERS.find((path) => existsSync(path)) ?? '';
  context = await chromium.launchPersistentContext(userData, { executablePath, args: FLAGS });
  page = await context.newPage();
  page.on('console', (message) => noise.push(`console: ${message.text()}`));
  page.on('pageerror', (error) => noise.push(`error: ${error.message}`));
  page.on('request', (request) => {
    if (request.url() !== url && !request.url().startsWith('data:')) noise.push(`request: ${request.url()}`);
  });
});

afterAll(() => context?.close());

const backs = new Map<string, Set<string>>();

describe.each(VIEWS)('the page, $size, $colorScheme', ({ size, viewport, colorScheme }) => {
  let problems: ReturnType<typeof problemsOnPage>;

  beforeAll(async () => {
    await page.setViewportSize(viewport);
    await page.emulateMedia({ colorScheme });
    await page.goto(url);
    problems = await page.evaluate(problemsOnPage);
    backs.set(colorScheme, (backs.get(colorScheme) ?? new Set()).add(problems.back));
    await page.screenshot({ path: join(folder, `${size}-${colorScheme}.png`), fullPage: true });
  });

  test('fits the window; nothing is cut off, too small, or over something else', () => {
    expect(problems.layout).toEqual([]);
  });
  test('has every plot, with marks, names and a table', () => expect(problems.plots).toEqual([]));
  test('has enough contrast', () => expect(problems.contrast).toEqual([]));
  test('has no id twice, and no text that became markup', () => expect(problems.markup).toEqual([]));
});

test('dark has another background than light', () => {
  const [light, dark] = [[...(backs.get('light') ?? [])], [...(backs.get('dark') ?? [])]];
  expect([light.length, dark.length]).toEqual([1, 1]);
  expect(light).not.toEqual(dark);
});

test('every ratio can be reached by keyboard, and is seen to be', async () => {
  const reached: NonNullable<ReturnType<typeof focused>>[] = [];
  for (let presses = 0; presses < 120; ++presses) {
    await page.keyboard.press('Tab');
    const focus = await page.evaluate(focused);
    if (focus === undefined) break;
    reached.push(focus);
  }
  const ratio = /^(round trip|throughput|connects).*(faster|slower|no measurable difference|too few rounds)$/;
  expect(reached.filter(({ name }) => ratio.test(name ?? ''))).toHaveLength(56);
  expect(reached.filter(({ seen }) => !seen)).toEqual([]);
});

test('a screen reader is told what is drawn', async () => {
  const spoken = await page.locator('main').ariaSnapshot();
  expect(spoken).toContain('group "TCP IPv4, fast path Ratios of speed');
  expect(spoken).toContain('img "round trip of 64 B, 1 connection: 1.60×');
  expect(spoken).toContain('img "connects, 1 at a time Bars, longer is faster.');
  expect(spoken).toContain('heading "Figures"');
});

test('a table opens by keyboard', async () => {
  await page.locator('details').first().locator('summary').press('Enter');
  expect(await page.getByRole('region').first().isVisible()).toBe(true);
});

test('no request, and nothing on the console', () => expect(noise).toEqual([]));
