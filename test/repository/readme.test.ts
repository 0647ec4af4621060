// What the README must not lose; its wording is free.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { root } from '../../tools/run.js';

const read = (file: string) => readFileSync(join(root, file), 'utf8');
const readme = read('README.md');

/** What stands under a heading. */
const section = (heading: string) => readme.split(/^## /m).find((part) => part.startsWith(`${heading}\n`)) ?? '';

test('the README has at most 900 words', () => {
  expect(readme.split(/\s+/).filter(Boolean).length).toBeLessThanOrEqual(900);
});

test('it asks for the Node that package.json asks for', () => {
  const { engines } = JSON.parse(read('package.json')) as { engines: { node: string } };
  const [, lowest = ''] = /^>=(\d+\.\d+)\.0$/.exec(engines.node) ?? [];
  expect(section('Install')).toContain(`Node.js ${lowest} or newer`);
});

test('it tells the Windows that Node 22 needs from the Windows that the ioctl needs', () => {
  for (const version of ['Node 22', 'Windows 10', 'Server 2016', 'Windows 8', 'Server 2012']) {
    expect(section('Install')).toContain(version);
  }
});

test.each(['README.md', 'docs/recipes.md'])('%s preloads with --require before it mentions --import', (file) => {
  const text = read(file);
  const first = text.indexOf('--require loopback-fast-path/register');
  expect(first).toBeGreaterThan(0);
  expect(text.slice(0, first)).not.toContain('--import');
});
