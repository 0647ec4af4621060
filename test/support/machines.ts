// test/machines/program.mjs, on the machines that vitest cannot be had for: what
// it needs, and what it printed.

import { copyFileSync, cpSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { root } from '../../tools/run.js';

interface Check {
  check: string;
  ok: boolean;
  error?: string;
}

/** Puts the program into a folder, and the package as npm would install it. */
export function writeProgram(folder: string): void {
  copyFileSync(join(root, 'test/machines/program.mjs'), join(folder, 'program.mjs'));
  for (const part of ['dist', 'prebuilds', 'package.json']) {
    cpSync(join(root, part), join(folder, 'node_modules/loopback-fast-path', part), { recursive: true });
  }
}

/** A test for each check that the program made. @returns whether all passed */
export function testChecks(printed: string): boolean {
  const lines = printed.split(/\r?\n/).filter((line) => line.startsWith('{"'));
  const checks = lines.map((line) => JSON.parse(line) as Partial<Check>);
  const ended = lines.at(-1) === '{"done":true}';
  for (const { check, ok, error } of checks) {
    if (check !== undefined) test(check, () => expect(ok, error).toBe(true));
  }
  test('the program came to its end', () => expect(ended, printed).toBe(true));
  return ended && checks.every(({ ok = true }) => ok);
}
