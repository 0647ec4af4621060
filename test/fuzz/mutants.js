// `npm run mutation:native`: every condition of native/ but runtime/ negated, always
// true and always false, and whether the fuzzer notices within the inputs that
// `npm test` gives it. All the mutants are in one program, which is compiled once.
// Before that: whether these inputs reach both ways out of every condition.

import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { buildEverything } from '../../tools/build-native.js';
import { runInside } from '../../tools/debian.js';
import { readJson, root } from '../../tools/run.js';
import { BRIEFLY, compileFuzzer, SANITIZERS, sources } from './fuzz.js';

const FOLDER = 'build/mutants';
const KINDS = ['negated', 'always true', 'always false'];
/** Mutants that change nothing which could be seen, and why: the line and what becomes of a condition in it. */
const HARMLESS = {
  'if (CallMethod(handle, "unref").IsNothing()) return nullptr; always false':
    'Node-API refuses the call of ref() that follows, and the lookup ends there.',
};
const files = sources().filter((file) => file.startsWith('native/'));

async function inside(script, options) {
  if ((await runInside(['sh', '-ec', script], { seconds: 1e5, ...options })) !== 0)
    throw new Error(`Failed: ${script}`);
}

/**
 * The conditions of `if`, `?:`, loops, `&&` and `||`, as the compiler sees them.
 *
 * @returns {Promise<{ file: string, line: number, start: number, end: number, missed: boolean }[]>} in their
 *   order, one within another after it
 */
async function findConditions() {
  const program = `${FOLDER}/coverage`;
  await compileFuzzer(program, sources(), ['-fsanitize=fuzzer', '-fprofile-instr-generate', '-fcoverage-mapping']);
  const script = `
    LLVM_PROFILE_FILE=${program}.raw ${program} ${BRIEFLY.join(' ')}
    llvm-profdata merge ${program}.raw -o ${program}.profile
    llvm-cov export ${program} -instr-profile=${program}.profile ${files.join(' ')} > ${program}.json`;
  await inside(script, { quiet: true });
  const found = new Map();
  for (const { filename, branches } of readJson(join(root, `${program}.json`)).data[0].files) {
    const file = filename.replace('/checkout/', '');
    const lines = read(file).split('\n');
    const offset = (line, column) => lines.slice(0, line - 1).join('\n').length + (line > 1) + column - 1;
    for (const [line, column, endLine, endColumn, taken, passed] of branches) {
      const [start, end] = [offset(line, column), offset(endLine, endColumn)];
      found.set(`${file}:${start}:${end}`, { file, line, start, end, missed: taken === 0 || passed === 0 });
    }
  }
  return [...found.values()].sort((a, b) => a.file.localeCompare(b.file) || a.start - b.start || b.end - a.end);
}

function read(file) {
  return readFileSync(join(root, file), 'utf8');
}

/** Copies native/ with each condition in a call of Mutated(). */
function writeMutants(conditions) {
  cpSync(join(root, 'native'), join(root, FOLDER, 'native'), { recursive: true });
  for (const file of files) {
    const inserted = new Map();
    const insert = (offset, text) => inserted.set(offset, (inserted.get(offset) ?? '') + text);
    for (const [number, { file: of, start, end }] of conditions.entries()) {
      if (of !== file) continue;
      insert(start, `Mutated(${number}, (`);
      insert(end, ') ? true : false)');
    }
    const text = [...read(file)].map((character, offset) => (inserted.get(offset) ?? '') + character).join('');
    writeFileSync(join(root, FOLDER, file), `#include "test/fuzz/mutants.h"\n${text}`);
  }
}

/**
 * Runs mutants, two or so at a time. One that takes a hundred times as long as the
 * others, or crashes the fuzzer itself, was noticed as well.
 *
 * @returns {Promise<Set<number>>} those in which the fuzzer finds nothing
 */
async function survivors(program, mutants, seconds) {
  const one = `MUTANT=$1 timeout --signal=KILL ${seconds} ${FOLDER}/${program} ${BRIEFLY.join(' ')} -timeout=10 -artifact_prefix=${FOLDER}/ > ${FOLDER}/$1.log 2>&1 && echo $1 || true`;
  const list = `${FOLDER}/${program}.survivors`;
  await inside(`echo ${mutants.join(' ')} | xargs -P "$(nproc)" -n 1 sh -c '${one}' sh > ${list}`);
  return new Set(read(list).split('\n').filter(Boolean).map(Number));
}

await buildEverything();
rmSync(join(root, FOLDER), { recursive: true, force: true });
mkdirSync(join(root, FOLDER), { recursive: true });

const conditions = await findConditions();
writeMutants(conditions);
const mutated = [...sources().filter((file) => !files.includes(file)), ...files.map((file) => `${FOLDER}/${file}`)];
// Without sanitizers most are found in a second; with them, in half a minute, more.
await compileFuzzer(`${FOLDER}/plain`, mutated, ['-I.', '-fsanitize=fuzzer']);
await compileFuzzer(`${FOLDER}/sanitized`, mutated, ['-I.', ...SANITIZERS]);

// The one of no condition: the inserted calls change nothing.
const none = 3 * conditions.length;
if (!(await survivors('plain', [none], 120)).has(none)) throw new Error('The fuzzer fails without a mutant.');
const plain = await survivors('plain', [...Array(none).keys()], 120);
const alive = plain.size === 0 ? plain : await survivors('sanitized', [...plain], 1200);

let wrong = 0;
for (const [number, { file, line, start, end, missed }] of conditions.entries()) {
  const text = read(file);
  const statement = text.split('\n')[line - 1].trim();
  const where = `${basename(file)}:${line}: ${text.slice(start, end).replaceAll(/\s+/g, ' ')}`;
  if (missed) {
    console.log(`Only one way was taken: ${where}`);
    wrong += 1;
  }
  for (const [kind, name] of KINDS.entries()) {
    if (!alive.has(3 * number + kind)) continue;
    const reason = HARMLESS[`${statement} ${name}`];
    console.log(`Survived: ${where} ${name}${reason === undefined ? '' : `. ${reason}`}`);
    if (reason === undefined) wrong += 1;
  }
}
console.log(`${conditions.length} conditions, ${none} mutants: ${none - alive.size} killed, ${alive.size} survived`);
process.exitCode = wrong > 0 ? 1 : 0;
