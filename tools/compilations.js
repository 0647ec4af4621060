// How the native build compiles each file of the shipped binary: what CMake
// wrote down. For tools that compile or read the same sources.

import { join } from 'node:path';
import { readJson, root } from './run.js';

/** The compile commands of x64, made by the native build. @returns {{ file: string, words: string[], object: string }[]} */
export function compilations() {
  return readJson(join(root, 'build/x64/compile_commands.json'))
    .map(({ file, command, output, directory }) => ({
      file: file.replace('/checkout/', ''),
      words: command.split(' '),
      object: `${directory}/${output}`,
    }))
    .filter(({ words }) => words.includes('-Dloopback_fast_path_EXPORTS'));
}

/** What is defined for the shipped binary, and where Node-API's headers are. */
export function definitions() {
  const [{ words }] = compilations();
  return words.flatMap((word, index) => {
    if (word.startsWith('-D')) return [word];
    return word === '-isystem' ? [word, words[index + 1]] : [];
  });
}
