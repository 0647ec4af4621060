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

/** The recipes of the tests by library, without indentation and types. */
const tested = [
  ...`${read('test/windows/libraries.test.ts')}${read('test/windows/context-libraries.test.ts')}`.matchAll(
    /^( *)\/\/ recipe: (.*)\n([\s\S]*?)\n *\/\/ end$/gm,
  ),
].map(([, indent = '', library = '', code = '']): [string, string] => [
  library,
  code
    .replaceAll(`\n${indent}`, '\n')
    .slice(indent.length)
    .replaceAll(/\((\w+): string\)/g, '($1)'),
]);

test.each(tested)('the recipe for %s is the one that is tested', (library, code) => {
  const recipes = read('docs/recipes.md');
  const section = recipes.split('\n## ').find((text) => text.split('\n')[0]?.split(', ').includes(library)) ?? '';
  expect(section).toContain(`\`\`\`js\n${code}\n\`\`\``);
});
