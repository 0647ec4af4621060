// `npm run fuzz`: the native code, built for Linux with libFuzzer and sanitizers
// on top of a system that is made up (test/fuzz), until something breaks.
//
//   --seconds N   for how long (default 60); what it learns stays in
//                 build/fuzz/corpus for the next time
//
// What it finds is in build/fuzz; `build/fuzz/fuzz FILE`, inside, runs it again.

import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { buildEverything } from '../../tools/build-native.js';
import { compilations, definitions } from '../../tools/compilations.js';
import { runInside } from '../../tools/debian.js';
import { isMain, root } from '../../tools/run.js';

/**
 * With what it is run in `npm test`: as long as a test may take, the same every time,
 * and with long inputs from the start, without which little happens in one.
 */
export const BRIEFLY = ['-max_len=512', '-len_control=0', '-runs=50000', '-seed=1'];

/** What the fuzzer watches beside its own checks. */
export const SANITIZERS = ['-fsanitize=fuzzer,address,undefined', '-fno-sanitize-recover=all'];

/** Of the addon everything but what stands for a C runtime. */
export function sources() {
  return compilations()
    .map(({ file }) => file)
    .filter((file) => !file.includes('/runtime/'));
}

/** Compiles the fuzzer with these files of native code. */
export async function compileFuzzer(output, files, flags) {
  mkdirSync(join(root, dirname(output)), { recursive: true });
  const command = [
    ...['clang++', '-std=c++20', '-O1', '-g', '-fno-exceptions', '-fno-rtti', '-Wall', '-Wextra', '-Werror'],
    // As on Windows, where the system's texts are UTF-16.
    '-fshort-wchar',
    ...flags,
    ...['-isystem', 'test/fuzz/windows', ...definitions()],
    ...files,
    ...['test/fuzz/fuzz.cc', 'test/fuzz/environment.cc', 'test/fuzz/system.cc', '-o', output],
  ];
  if ((await runInside(command)) !== 0) throw new Error('The fuzzer does not compile.');
}

/**
 * Builds and runs the fuzzer.
 *
 * @param {string[]} limits options of libFuzzer
 * @throws {Error} when it finds something
 */
export async function fuzz(limits, { quiet = false } = {}) {
  await compileFuzzer('build/fuzz/fuzz', sources(), SANITIZERS);
  const command = ['build/fuzz/fuzz', '-artifact_prefix=build/fuzz/', ...limits];
  // No more of ASan's bookkeeping than a program of this size needs.
  const env = { ASAN_OPTIONS: 'malloc_context_size=5:quarantine_size_mb=8' };
  if ((await runInside(command, { env, quiet, seconds: 1e6 })) !== 0) throw new Error('The fuzzer found something.');
}

export function fuzzBriefly() {
  return fuzz(BRIEFLY, { quiet: true });
}

if (isMain(import.meta.url)) {
  const { values } = parseArgs({ options: { seconds: { type: 'string', default: '60' } } });
  await buildEverything();
  mkdirSync(join(root, 'build/fuzz/corpus'), { recursive: true });
  await fuzz(['-max_len=512', `-max_total_time=${Number(values.seconds)}`, 'build/fuzz/corpus']);
}
