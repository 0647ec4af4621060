import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { readPortableExecutable } from '../support/pe.js';

const folder = fileURLToPath(new URL('../../prebuilds/', import.meta.url));
const architectures = ['arm64', 'ia32', 'x64'];

test('there is a binary for every architecture, and nothing else', () => {
  expect(readdirSync(folder).sort()).toEqual(['NOTICE', 'SHA256SUMS', ...architectures.map((arch) => `win32-${arch}`)]);
  for (const arch of architectures) expect(readdirSync(`${folder}win32-${arch}`)).toEqual(['loopback-fast-path.node']);
});

describe.each(architectures)('the binary for %s', (arch) => {
  test('says in its version resource what package.json and LICENSE say', () => {
    const read = (file: string) => readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8');
    const { name, version, description, license } = JSON.parse(read('package.json'));
    const copyright = /^Copyright .*$/m.exec(read('LICENSE'))?.[0];
    const holder = copyright?.replace(/^Copyright \(c\) \d+ /, '');
    expect(readPortableExecutable(`${folder}win32-${arch}/loopback-fast-path.node`).version).toEqual({
      fileVersion: `${version.replace(/-.*/, '')}.0`,
      CompanyName: holder,
      FileDescription: description,
      FileVersion: version,
      InternalName: name,
      LegalCopyright: `${copyright}. ${license} licence.`,
      OriginalFilename: `${name}.node`,
      ProductName: name,
      ProductVersion: version,
    });
  });
});

// What MSVC makes in the CI job for it brings a C runtime; these are the shipped ones.
describe.skipIf(process.env.LOOPBACK_TEST_BINARY === 'MSVC').each(architectures)(
  'the shipped binary for %s [not for one that MSVC built]',
  (arch) => {
    const binary = readPortableExecutable(`${folder}win32-${arch}/loopback-fast-path.node`);

    test('has the published hash', () => {
      const hash = createHash('sha256').update(readFileSync(`${folder}win32-${arch}/loopback-fast-path.node`));
      expect(readFileSync(`${folder}SHA256SUMS`, 'utf8').split('\n')).toContain(
        `${hash.digest('hex')}  win32-${arch}/loopback-fast-path.node`,
      );
    });

    test('is for that machine, and at most 20 KB', () => {
      expect(binary.machine).toBe(arch);
      expect(binary.size).toBeLessThanOrEqual(20 * 1024);
    });

    test('imports nothing but the host, KERNEL32 and WS2_32', () => {
      expect(Object.keys(binary.imports).sort()).toEqual(['KERNEL32.DLL', 'WS2_32.DLL']);
      expect(Object.keys(binary.delayImports)).toEqual(['NODE.EXE']);
      expect(binary.imports['KERNEL32.DLL']?.sort()).toEqual([
        'FatalExit',
        'FormatMessageW',
        'GetModuleHandleW',
        'GetProcAddress',
        'GetProcessHeap',
        'HeapAlloc',
        'HeapFree',
      ]);
      expect(binary.imports['WS2_32.DLL']?.sort()).toEqual([
        'WSAGetLastError',
        'WSAIoctl',
        'WSASetLastError',
        'WSASocketW',
        'closesocket',
        'getsockname',
        'getsockopt',
        'setsockopt',
      ]);
      for (const name of binary.delayImports['NODE.EXE'] ?? []) expect(name).toMatch(/^napi_[a-z0-9_]+$/);
    });

    test('exports what Node-API asks for', () => {
      expect(binary.exports.sort()).toEqual(['napi_register_module_v1', 'node_api_module_get_api_version_v1']);
      expect(binary.entryPoint).toBe(0);
    });

    test('has ASLR, DEP, Control Flow Guard and, with 64 bits, high entropy', () => {
      const wanted = ['DYNAMIC_BASE', 'NX_COMPAT', 'GUARD_CF', ...(arch === 'ia32' ? [] : ['HIGH_ENTROPY_VA'])];
      expect(binary.characteristics).toEqual(expect.arrayContaining(wanted));
      expect(binary.sections.filter(({ writable, executable }) => writable && executable)).toEqual([]);
    });

    test('says which guards it has: Control Flow Guard with its table of functions, and no security cookie', () => {
      const CF_INSTRUMENTED = 0x100;
      const CF_FUNCTION_TABLE_PRESENT = 0x400;
      const SECURITY_COOKIE_UNUSED = 0x800;
      const wanted = CF_INSTRUMENTED | CF_FUNCTION_TABLE_PRESENT | SECURITY_COOKIE_UNUSED;
      expect(binary.guardFlags & wanted).toBe(wanted);
    });

    test('names no file of the machine that built it', () => {
      expect(binary.debugPath).toBe(false);
    });
  },
);
