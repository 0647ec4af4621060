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
  const document = read('docs/other-ends.md');
  for (const parameter of ['WskIoctl', '0x98000010', 'Level', 'OutputSizeReturned', 'completion routine']) {
    expect(document.slice(document.indexOf('## A driver'))).toContain(parameter);
  }
  const sources = ['fast_path.cc', 'tcp_info.cc', 'tcp_handle.cc', 'binding.cc', 'host.cc'].map((file) =>
    read(`native/${file}`),
  );
  expect(sources.join('\n')).not.toMatch(/Wsk|DeviceIoControl|CreateFile/);
});

test('B1: the other end in C is the one that is compiled and run', () => {
  const [, code = ''] = /```c\n(.*?)```/s.exec(read('docs/other-ends.md').replaceAll('\r', '')) ?? [];
  expect(code).toContain('WSAIoctl(tcp_socket');
  expect(read('docs/examples/other-end.c').replaceAll('\r', '')).toContain(code);
});
