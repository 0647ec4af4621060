// What running programs and test suites of others needs: they may hang, and crash Wine.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';

const LIMIT = 120_000;

/** Node's option that loads a file before the program. */
export const required = (file) => `--require "${file.replaceAll('\\', '/')}"`;

/**
 * Runs Node until it ends, or no longer than two minutes.
 *
 * @returns {Promise<{ end: string, stdout: string, stderr: string }>} how it ended, and what it printed
 */
export async function runToItsEnd(args, options) {
  const child = spawn(process.execPath, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
  let hung = false;
  const limit = setTimeout(() => {
    hung = true;
    child.kill();
  }, LIMIT);
  const closed = once(child, 'close');
  const printed = [child.stdout, child.stderr].map((stream) => {
    const parts = [];
    stream.setEncoding('utf8').on('data', (part) => parts.push(part));
    return parts;
  });
  const [code] = await once(child, 'exit');
  clearTimeout(limit);
  // A process that it left behind would hold them open.
  const isHeldOpen = await Promise.race([closed.then(() => false), wait(5000, true, { ref: false })]);
  const [stdout, stderr] = printed.map((parts) => parts.join(''));
  return { end: hung ? 'hangs' : `exit code ${code}`, stdout: isHeldOpen ? `${stdout}\n(held open)` : stdout, stderr };
}

/** Notes in a file that something begins; whether it has begun twice before, and Wine with all that runs in it ended both times. */
export function hasCrashedWine(file) {
  appendFileSync(file, '+');
  return readFileSync(file).length > 2;
}
