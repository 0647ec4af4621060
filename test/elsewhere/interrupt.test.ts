import { spawn } from 'node:child_process';
import { expect, test } from 'vitest';
import { cliFile } from '../support/cli.js';

// A signal that is sent to a process on Windows ends it at once; only Ctrl-C in a
// console, which no test has, is an event there.
test('Ctrl-C prints what there is, with exit code 130, and leaves no process', { timeout: 30_000 }, async () => {
  const child = spawn(process.execPath, [cliFile, 'bench', '--seconds', '10'], {
    stdio: ['ignore', 'pipe', 'pipe'],
    // A process group of its own, which gets the signal as it would from a terminal.
    detached: true,
  });
  const closed = new Promise<number | null>((resolve) => child.on('close', resolve));
  const printed = child.stdout.toArray();
  child.stderr.on('data', (data) => {
    // Into the second shape.
    if (String(data).includes('2/14')) setTimeout(() => process.kill(-(child.pid ?? 0), 'SIGINT'), 200);
  });
  expect(await closed).toBe(130);
  const text = (await printed).join('');
  expect(text).toContain('Ended early: what was measured by then.');
  expect(text).toContain('round trip of 64 B, 1 connection');
  expect(text).not.toContain('connects');
  expect(() => process.kill(-(child.pid ?? 0), 0)).toThrow('ESRCH');
});
