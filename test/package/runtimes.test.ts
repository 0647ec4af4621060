// The packed package in Bun and Deno, for Windows and for the system of the checkout.
// Both say that they are a Node. Deno exports no libuv; Bun for Windows does, and has
// sockets of its own.

import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { isWindows, npm, readJson, root } from '../../tools/run.js';
import { installFromRegistry } from '../../tools/test-projects.js';
import { runUnderWine } from '../../tools/windows-node.js';
import { pack, temporaryFolder } from '../support/package.js';

const REGISTER = './node_modules/loopback-fast-path/dist/register.cjs';
interface Runtime {
  name: string;
  /** The package that it comes in, and the program in it. */
  from: string;
  version: string;
  file: string;
  args: string[];
  preload: string[];
  /** What the program imports, where that is not the package by its name. */
  entry?: string;
}

const BUN = { version: '1.4.5', args: [], preload: ['--preload', REGISTER] };
const DENO = { args: ['run', '--allow-all'], preload: ['--require', REGISTER] };
// Bun cannot list folders under Wine, and finds nothing by the name of a package.
const BY_PATH = { entry: './node_modules/loopback-fast-path/dist/index.mjs' };
const RUNTIMES: Runtime[] = [
  { ...BUN, ...BY_PATH, name: 'bun.exe', from: '@oven/bun-windows-x64-baseline', file: 'bin/bun.exe' },
  { ...DENO, name: 'deno.exe', from: '@deno/win32-x64', version: '2.9.5', file: 'deno.exe' },
  { ...BUN, name: 'Bun for Linux', from: '@oven/bun-linux-x64-baseline', file: 'bin/bun' },
  { ...DENO, name: 'Deno for Linux', from: '@deno/linux-x64-glibc', version: '2.9.6', file: 'deno' },
];

const folder = temporaryFolder();
const project = join(folder, 'project');

beforeAll(async () => {
  cpSync(join(root, 'test/runtimes'), project, { recursive: true });
  writeFileSync(join(project, 'package.json'), '{ "name": "project", "private": true }');
  const quiet = ['--ignore-scripts', '--no-audit', '--no-fund', '--silent'];
  await npm(['install', await pack(folder), ...quiet], { cwd: project });
});

/** What program.mjs finds where nothing can be armed, for the reason `code`. */
function expected(code: string): Record<string, unknown> {
  const refused = ['socket', 'server', 'http', 'https'].flatMap((target) => [
    [`enable ${target}`, code],
    [`tryEnable ${target}`, false],
    [`status of ${target}`, code],
    [`disable ${target}`, 'nothing'],
  ]);
  const clients = ['factory', 'context', 'connector'].flatMap((client) => [
    [`data of ${client}`, 'ping'],
    [`status of ${client}`, code],
    [`required, ${client}`, code],
  ]);
  return {
    probe: code,
    ...Object.fromEntries([...refused, ...clients]),
    ...{ 'data of plain': 'ping', 'status of plain': 'off' },
    'required, agent': code,
    ...{ 'required, listen of net': code, 'required, listening of net': false },
    ...{ 'required, listen of http': code, 'required, listening of http': false },
    'connections that required made': 0,
    ...{ http: 'pong', 'http, agent': 'pong', 'http, createConnection': 'pong' },
    ...{ 'registered, data': 'ping', 'registered, status': 'off', 'registered, http': 'pong' },
    'registered, net as it was': true,
  };
}

// Those for Linux do not run on Windows.
describe.each(RUNTIMES.filter(({ file }) => !isWindows || file.endsWith('.exe')))(
  '$name $version',
  ({ from, version, file, args, preload, entry = 'loopback-fast-path' }) => {
    const isForWindows = file.endsWith('.exe');

    test.each([
      { how: 'as it is', flags: [] },
      { how: 'with register preloaded', flags: preload },
    ])('refuses with our error, keeps what is required from happening, and traffic flows: $how', async ({ flags }) => {
      const runtime = await installFromRegistry(from, version);
      rmSync(join(project, 'result.json'), { force: true });
      if (isForWindows && !isWindows) {
        const there = (path: string) => path.replace(/^[.]/, 'Z:/project');
        const command = [...args, ...flags, './program.mjs', entry];
        const binds = [
          [runtime, '/runtime'],
          [project, '/project'],
        ];
        expect(
          await runUnderWine(['wine', `/runtime/${file}`, ...command.map(there)], {
            cwd: '/project',
            binds,
            seconds: 120,
            quiet: true,
          }),
        ).toBe(0);
      } else {
        const command = [...args, ...flags, join(project, 'program.mjs'), entry];
        // As an install script would.
        chmodSync(join(runtime, file), 0o755);
        const { status, stderr } = spawnSync(join(runtime, file), command, {
          cwd: project,
          encoding: 'utf8',
          timeout: 120_000,
        });
        expect(status, stderr).toBe(0);
      }
      const code = isForWindows ? 'ERR_LOOPBACK_FAST_PATH_HOST' : 'ERR_LOOPBACK_FAST_PATH_PLATFORM';
      expect(readJson(join(project, 'result.json'))).toEqual(expected(code));
    });
  },
);
