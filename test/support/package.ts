// The package as its users get it, for the tests of test/package.

import { mkdtempSync, readdirSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect } from 'vitest';
import { isWindows, npm, readJson } from '../../tools/run.js';
import { NEWEST, runWindowsNode } from '../../tools/windows-node.js';

/** A folder of a file of tests, or of a describe(), outside of any project and gone afterwards. */
export function temporaryFolder(): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'loopback-')));
  afterAll(() => rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 }));
  return folder;
}

/** Packs what would be published. @returns the file, in `folder` */
export async function pack(folder: string): Promise<string> {
  const quiet = { stdio: ['ignore', 'ignore', 'inherit'] };
  await npm(['pack', '--silent', '--ignore-scripts', '--pack-destination', folder], quiet);
  return join(folder, readdirSync(folder).find((name) => name.endsWith('.tgz')) ?? '');
}

/** Every file below a folder, with slashes. */
export function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) =>
      join(entry.parentPath, entry.name)
        .slice(folder.length + 1)
        .replaceAll('\\', '/'),
    )
    .sort();
}

/** Runs use.mjs of test/tarball in a folder on Windows Node. @returns what the system said to it */
export async function useOnWindows(folder: string, args: string[]): Promise<{ answer: string; node: string }> {
  expect(await runWindowsNode(NEWEST, args, { folder, quiet: true, seconds: 60 })).toBe(0);
  const result = readJson(join(folder, 'result.json'));
  if (!isWindows) expect(result.answer).toBe('WSAEOPNOTSUPP');
  return result;
}
