import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** The program that `npx loopback-fast-path` runs. */
export const cliFile = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

/** Whether the tests run on Wine; whatever the command prints there must say so. */
export const onWine = process.env.LOOPBACK_TEST_SYSTEM === 'wine';

/** For a test of doctor: PowerShell, where there is one, may take a minute; netsh and connections are quick. */
export const LONG = { timeout: 120_000 };

/** For NODE_OPTIONS: the system accepts the ioctl, in the program and in those it starts. */
export const ACCEPTING = { NODE_OPTIONS: '--require ./test/support/accept.cjs' };

export interface Outcome {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** Runs the command line to its end. */
export async function cli(args: string[], env: Record<string, string> = {}): Promise<Outcome> {
  const child = spawn(process.execPath, [cliFile, ...args], {
    cwd: fileURLToPath(new URL('../..', import.meta.url)),
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [stdout, stderr, code] = await Promise.all([
    child.stdout.toArray(),
    child.stderr.toArray(),
    new Promise<number | null>((resolve) => child.on('close', resolve)),
  ]);
  return { code, stdout: stdout.join(''), stderr: stderr.join('') };
}
