// `npm run lint:native`: what others see in the native code: clang-tidy with the
// set of .clang-tidy, GCC with its own warnings, and that nothing in the shipped
// binary is kept outside of an environment.

import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildEverything } from './build-native.js';
import { cacheFolder, fingerprint } from './cache.js';
import { compilations, definitions } from './compilations.js';
import { runInside } from './debian.js';
import { isMain, root } from './run.js';

async function demand(command, what) {
  if ((await runInside(command, { quiet: true })) !== 0) throw new Error(what);
}

/** Each of its warnings is an error. One process for each processor. */
function clangTidy(files) {
  const all = `printf '%s\\n' ${files.join(' ')} | xargs -P "$(nproc)" -n 1 clang-tidy --quiet -p build/x64`;
  return demand(['sh', '-c', all], 'clang-tidy finds fault.');
}

/** Of MinGW, for x64. It does not know Control Flow Guard, and only reads here. */
function gcc(files) {
  const known = files.filter((file) => !file.includes('guard_cf'));
  const warnings = ['-Wall', '-Wextra', '-Wpedantic', '-Wconversion', '-Wshadow', '-Wold-style-cast', '-Wlogical-op'];
  const flags = ['-std=c++20', '-O2', '-fno-exceptions', '-fno-rtti', '-fsyntax-only', ...warnings, '-Werror'];
  return demand(['x86_64-w64-mingw32-g++-posix', ...flags, ...definitions(), ...known], 'GCC warns.');
}

/** No object of the shipped binary has a variable that can change: every worker has its own state. */
function noGlobalState() {
  const objects = compilations().map(({ object }) => object);
  // b, d, s: what can be written, in whichever section.
  const script = `llvm-nm -A ${objects.join(' ')} > /tmp/names && grep -q SetFastPath /tmp/names && ! grep -Ei ' [bdsc] ' /tmp/names`;
  return demand(['sh', '-c', script], 'There is global state in an object of the shipped binary.');
}

/**
 * Checks what the native build compiled. For files that passed before, clang-tidy
 * and GCC are not asked again.
 *
 * @throws {Error} with who finds fault; what it says is printed.
 */
export async function checkNative() {
  await noGlobalState();
  const texts = [...readdirSync(join(root, 'native'), { recursive: true }), '../.clang-tidy', '../CMakeLists.txt']
    .filter((file) => /\.(cc|h|clang-tidy|txt)$/.test(file))
    .map((file) => readFileSync(join(root, 'native', file), 'utf8'));
  texts.push(readFileSync(import.meta.filename, 'utf8'));
  const passed = join(cacheFolder, `native-checks-${fingerprint(texts.join())}`);
  if (existsSync(passed)) return;
  const files = compilations().map(({ file }) => file);
  await clangTidy(files);
  await gcc(files);
  // Another run may have got there first.
  mkdirSync(passed, { recursive: true });
}

if (isMain(import.meta.url)) {
  await buildEverything();
  await checkNative();
}
