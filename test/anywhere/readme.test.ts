import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));

test('the example of the README runs', async () => {
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
  const [, program = ''] = /```js\n(.*?)```/s.exec(readme) ?? [];
  expect(program).toContain('tryEnableLoopbackFastPath(server)');
  const flags = ['--input-type=module', '--eval', program];
  const { stdout, stderr } = await promisify(execFile)(process.execPath, flags, { cwd: root });
  expect(stdout).toBe('hello\n');
  expect(stderr).toBe('');
});
