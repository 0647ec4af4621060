// `npm run build:native`: the prebuilt binaries, the test recorder, the program of
// docs/other-ends.md, and the twin of `bench --native`. On Linux with clang and lld,
// reproducibly, for every architecture; on Windows with MSVC, for this machine alone.
//
// prebuilds/SHA256SUMS, in the form of sha256sum, goes with them.
//
//   --check   leave prebuilds/ alone, and on Linux fail where the result is not
//             what it holds

import { createHash } from 'node:crypto';
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runInside } from './debian.js';
import { buildTypeScript, installDependencies, isMain, isWindows, root, runPackage } from './run.js';

export const ARCHITECTURES = ['x64', 'arm64', 'ia32'];
export const NAME = 'loopback-fast-path.node';

async function buildOnLinux(check) {
  const stale = [];
  for (const arch of ARCHITECTURES) {
    const out = `build/${arch}`;
    const command = [
      ...['node', 'node_modules/cmake-js/bin/cmake-js', 'compile', '--out', out, '--config', 'Release', '-G', 'Ninja'],
      ...['--prefer-clang', '-l', 'error', '--CDCMAKE_TOOLCHAIN_FILE=native/windows-clang.cmake'],
      `--CDLOOPBACK_ARCH=${arch}`,
    ];
    if ((await runInside(command, { quiet: true })) !== 0) throw new Error(`The native build for ${arch} failed.`);
    const built = join(root, out, 'Release', NAME);
    const shipped = join(root, 'prebuilds', `win32-${arch}`, NAME);
    if (!check) {
      mkdirSync(join(shipped, '..'), { recursive: true });
      copyFileSync(built, shipped);
    } else if (!readFileSync(built).equals(readFileSync(shipped))) {
      stale.push(shipped);
    }
  }
  await buildOtherEnds();
  const list = join(root, 'prebuilds', 'SHA256SUMS');
  const sums = ARCHITECTURES.map((arch) => sumOf(`win32-${arch}/${NAME}`)).join('');
  if (!check) writeFileSync(list, sums);
  else if (readFileSync(list, 'utf8') !== sums) stale.push(list);
  if (stale.length > 0)
    throw new Error(`Not what native/ builds: ${stale.join(', ')}. Run npm run build:native and commit.`);
}

/** The program of docs/other-ends.md, as C and as C++, as somebody else would build it. */
async function buildOtherEnds() {
  for (const [language, compiler, standard] of [
    ['c', 'x86_64-w64-mingw32-gcc', 'c99'],
    ['cpp', 'x86_64-w64-mingw32-g++', 'c++17'],
  ]) {
    const command = [
      ...[compiler, '-x', language === 'c' ? 'c' : 'c++', `-std=${standard}`, '-Wall', '-Wextra', '-Werror', '-static'],
      ...['docs/examples/other-end.c', '-o', `build/x64/Release/other-end-${language}.exe`, '-lws2_32'],
    ];
    if ((await runInside(command, { quiet: true })) !== 0)
      throw new Error('docs/examples/other-end.c does not compile.');
  }
}

/** The line of sha256sum for a file of prebuilds/. */
function sumOf(file) {
  const bytes = readFileSync(join(root, 'prebuilds', file));
  return `${createHash('sha256').update(bytes).digest('hex')}  ${file}\n`;
}

async function buildOnWindows(check) {
  if (!check) await runPackage('prebuildify/bin.js', ['--napi', '--strip=false']);
  for (const folder of ['test/recorder', 'test/other-ends', 'bench/native']) {
    await runPackage('node-gyp/bin/node-gyp.js', ['rebuild', '--directory', folder]);
  }
}

/** Builds for this machine. @throws {Error} where --check finds another result. */
export async function buildNative({ check = false } = {}) {
  if (isWindows) await buildOnWindows(check);
  else await buildOnLinux(check);
}

/** Makes what other tools run: the dependencies are there, dist/ and, where Wine needs the recorder, that. */
export async function buildEverything() {
  await installDependencies();
  await buildTypeScript();
  if (!isWindows) await buildNative({ check: true });
}

if (isMain(import.meta.url)) {
  await installDependencies();
  await buildTypeScript();
  await buildNative({ check: process.argv.includes('--check') });
}
