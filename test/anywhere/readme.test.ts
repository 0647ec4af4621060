import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const read = (file: string) => readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8').replaceAll('\r', '');

test('the example of the README runs', async () => {
  const [, program = ''] = /```js\n(.*?)```/s.exec(read('README.md')) ?? [];
  expect(program).toContain('tryEnableLoopbackFastPath(server)');
  const flags = ['--input-type=module', '--eval', program];
  const { stdout, stderr } = await promisify(execFile)(process.execPath, flags, { cwd: root });
  expect(stdout).toBe('hello\n');
  expect(stderr).toBe('');
});
