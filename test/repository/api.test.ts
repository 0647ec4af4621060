// docs/api.report.md, everything that the entry points export, so that a review sees
// a change of it (`npm run api` writes it), and pages about it in build/docs.

import { createRequire } from 'node:module';
import { basename, join } from 'node:path';
import { expect, test } from 'vitest';
import { readJson, root, run } from '../../tools/run.js';
import { installProject } from '../../tools/test-projects.js';
import { report } from '../api/report.js';

const readers = await installProject('api');

interface Conditions {
  types?: string;
  require?: { types: string };
}

const { name, exports } = readJson(join(root, 'package.json'));
const entries = Object.entries<Conditions>(exports).flatMap(([path, { require, types = require?.types }]) =>
  types === undefined ? [] : [{ name: `${name}${path.slice(1)}`, types }],
);

test('the public surface is that of docs/api.report.md, and nothing in it is any', async () => {
  const current = report(createRequire(join(readers, 'package.json'))('typescript'), root, entries);
  expect(current).not.toMatch(/\bany\b/);
  await expect(current).toMatchFileSnapshot(join(root, 'docs/api.report.md'));
});

test('TypeDoc makes pages of the API, and has nothing to warn of', async () => {
  const sources = entries.map(({ types }) => `src/entries/${basename(types, '.d.cts')}.ts`);
  const strict = ['--treatWarningsAsErrors', '--validation.invalidLink', '--logLevel', 'Warn'];
  const place = ['--githubPages', 'false', '--disableGit', '--sourceLinkTemplate', '{path}', '--out', 'build/docs'];
  // That of the README.
  const languages = ['js', 'ts', 'sh', 'powershell'].flatMap((name) => ['--highlightLanguages', name]);
  const typedoc = join(readers, 'node_modules/typedoc/bin/typedoc');
  await run(process.execPath, [typedoc, ...strict, ...languages, ...place, ...sources]);
});
