// test/machines/program.mjs, for the machines that vitest cannot be had for: what
// it needs, and what it printed.

import { copyFileSync, cpSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './run.js';

/** Puts the program into a folder, and the package as npm would install it. */
export function writePackage(folder) {
  copyFileSync(join(root, 'test/machines/program.mjs'), join(folder, 'program.mjs'));
  for (const part of ['dist', 'prebuilds', 'package.json']) {
    cpSync(join(root, part), join(folder, 'node_modules/loopback-fast-path', part), { recursive: true });
  }
}

/** Prints a line for each check of the program's output, and counts them. */
export function report(printed) {
  const lines = printed.split(/\r?\n/).filter((line) => line.startsWith('{"'));
  const checks = lines.map((line) => JSON.parse(line)).filter(({ check }) => check !== undefined);
  for (const { check, ok, error } of checks) console.log(ok ? `passed: ${check}` : `FAILED: ${check}\n${error}`);
  const passed = checks.filter(({ ok }) => ok).length;
  let failed = checks.length - passed;
  if (!lines.includes('{"done":true}')) {
    failed += 1;
    console.log(`FAILED: the program did not come to its end. What was printed:\n${printed}`);
  }
  return { passed, failed };
}

/** Ends a program that is about such counts. */
export function printAndExit({ passed, failed }) {
  console.log(`\n${passed} passed, ${failed} failed`);
  process.exitCode = failed > 0 ? 1 : 0;
}
