// Statements of docs/platform.md about the system that the package is for.

import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const read = (file: string) => readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8');

test('B12: the README says that it is deprecated and from which Windows on it works, for which both builds are made', () => {
  expect(read('README.md')).toMatch(/deprecated/);
  expect(read('README.md')).toMatch(/Windows\s+8\s+and\s+Server\s+2012/);
  for (const build of ['CMakeLists.txt', 'native/msvc.gypi']) expect(read(build)).toContain('_WIN32_WINNT=0x0602');
});

test('K1, K2: kernel mode is documented, and nothing of it is offered', () => {
  expect(read('docs/platform.md')).toMatch(/There is no way to act for it from user mode/);
  const sources = ['fast_path.cc', 'tcp_handle.cc', 'binding.cc', 'host.cc'].map((file) => read(`native/${file}`));
  expect(sources.join('\n')).not.toMatch(/Wsk|DeviceIoControl|CreateFile/);
});
