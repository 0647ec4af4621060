// The packed package in what its users compile, run and test with: the programs of
// test/consumers, with the tools that its lockfile says, in a project of their own.

import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { npm, root } from '../../tools/run.js';
import { installFromRegistry, installProject } from '../../tools/test-projects.js';
import { pack, temporaryFolder } from '../support/package.js';

/** The oldest Node that is supported, and the newest one that every tool here runs on. */
const NODES = ['20.19.6', '24.21.0'];

const folder = temporaryFolder();
const project = join(folder, 'project');
const tool = (file: string) => join(folder, 'node_modules', file);
const installed = join(project, 'node_modules/loopback-fast-path');

beforeAll(async () => {
  symlinkSync(join(await installProject('consumers'), 'node_modules'), join(folder, 'node_modules'), 'junction');
  cpSync(join(root, 'test/consumers'), project, { recursive: true });
  rmSync(join(project, 'package-lock.json'));
  writeFileSync(join(project, 'package.json'), '{ "name": "project", "private": true }');
  const quiet = ['--ignore-scripts', '--no-audit', '--no-fund', '--silent'];
  await npm(['install', await pack(folder), ...quiet], { cwd: project });
});

/** Runs a program in the project, on a version of Node or on this one. @returns what it printed */
async function runInProject(args: string[], { node, env = {} }: { node?: string; env?: NodeJS.ProcessEnv } = {}) {
  const name = `node-${process.platform}-${process.arch}`;
  const program = node === undefined ? process.execPath : join(await installFromRegistry(name, node), 'bin/node');
  const ended = spawnSync(program, args, {
    cwd: project,
    encoding: 'utf8',
    // Not what vitest tells the programs that it starts.
    env: { PATH: process.env.PATH, HOME: folder, ...env },
    timeout: 240_000,
  });
  const output = ended.stdout + ended.stderr;
  expect(ended, output).toMatchObject({ status: 0, signal: null });
  return output;
}

const PROGRAM = readFileSync(join(root, 'test/consumers/program.ts'), 'utf8');

test('the program names everything that the package exports', () => {
  const require = createRequire(join(project, 'x.js'));
  for (const name of Object.keys(require('loopback-fast-path'))) expect(PROGRAM).toMatch(new RegExp(`\\b${name}\\b`));
});

describe.each([
  { name: 'TypeScript 5.0', from: 'typescript-5.0', types: '@types/node-for-5.0' },
  { name: 'the newest TypeScript 5', from: 'typescript', types: '@types/node' },
  { name: 'TypeScript 7', from: 'typescript-7', types: '@types/node' },
])('$name compiles it', ({ from, types }) => {
  // Nearer than that of the lockfile, which TypeScript 5.0 cannot read.
  const nearest = join(project, 'node_modules/@types');
  beforeAll(() => {
    rmSync(nearest, { recursive: true, force: true });
    mkdirSync(nearest);
    symlinkSync(tool(types), join(nearest, 'node'), 'junction');
  });

  test.each([
    { module: 'node16', files: ['program.cts', 'program.mts'] },
    { module: 'nodenext', files: ['program.cts', 'program.mts'] },
    { module: 'esnext', moduleResolution: 'bundler', files: ['program.ts'] },
  ])('as $files in $module, without skipLibCheck', async ({ files, ...modules }) => {
    for (const file of files) writeFileSync(join(project, file), PROGRAM);
    const compilerOptions = { ...modules, target: 'es2022', strict: true, types: ['node'], noEmit: true };
    const configuration = join(project, 'tsconfig.consumer.json');
    writeFileSync(
      configuration,
      JSON.stringify({ compilerOptions: { ...compilerOptions, skipLibCheck: false }, files }),
    );
    await runInProject([tool(`${from}/bin/tsc`), '-p', configuration]);
  });
});

test('each export and each of its members is documented in the declarations, for import and require()', async () => {
  const commentsOf = async (file: string): Promise<Record<string, string>> =>
    JSON.parse(await runInProject(['comments.mjs', file]));
  const written = await commentsOf(join(root, 'src/api.ts'));
  expect(Object.values(written).filter((text) => text !== '').length).toBeGreaterThan(40);
  expect(await commentsOf(join(installed, 'dist/index.d.cts'))).toEqual(written);
  expect(await commentsOf(join(installed, 'dist/index.d.mts'))).toEqual(written);
});

const REGISTER = ['--require', 'loopback-fast-path/register'];

describe.each(NODES)('on Node %s', (node) => {
  test('require() works, and returns what import does', async () => {
    expect(await runInProject(['same.mjs'], { node })).toBe('the same\n');
  });

  test.each([
    { name: 'tsx', hooks: ['--require', 'tsx/cjs'] },
    { name: 'ts-node', hooks: ['--require', 'ts-node/register'] },
    { name: 'esbuild-register', hooks: ['--require', 'esbuild-register'] },
  ])('$name runs it as CommonJS, with and without register preloaded', async ({ hooks }) => {
    // For ts-node, which checks types as well.
    const compilerOptions = { module: 'node16', target: 'es2022', strict: true, types: ['node'] };
    writeFileSync(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions }));
    for (const preload of [[], REGISTER]) {
      expect(await runInProject([...preload, ...hooks, 'program.ts'], { node })).toBe('everything was used\n');
    }
  });

  test.each(['jest-29', 'jest'])('%s, with many files of tests in one process, each with a copy', async (jest) => {
    const files = 12;
    for (let file = 0; file < files; ++file) {
      // In the order of their names, as far as one process is concerned.
      const text = `require('./connects.js').connects(${file === 0});`;
      writeFileSync(join(project, 'jest', `connects-${String(file).padStart(2, '0')}.test.js`), text);
    }
    const sequencer = `const Sequencer = require(${JSON.stringify(tool(`${jest === 'jest' ? '' : 'jest-29/node_modules/'}@jest/test-sequencer`))}).default;
module.exports = class extends Sequencer { sort(tests) { return [...tests].sort((a, b) => (a.path < b.path ? -1 : 1)); } };`;
    writeFileSync(join(project, 'sequencer.js'), sequencer);
    const args = ['--runInBand', '--rootDir', 'jest', '--testSequencer', join(project, 'sequencer.js')];
    const output = await runInProject([tool(`${jest}/bin/jest.js`), ...args], { node });
    expect(output).toContain(`Tests:       ${2 * files} passed, ${2 * files} total`);
  });
});

test('vitest, without vi.mock', async () => {
  const vitest = join(root, 'node_modules/vitest/vitest.mjs');
  const output = await runInProject([vitest, 'run', '--globals', '--root', 'vitest'], {
    env: { NO_COLOR: '1' },
  });
  expect(output).toMatch(/Tests +2 passed \(2\)/);
});
