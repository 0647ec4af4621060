// Each package manager installs the packed file in an empty folder, with its own
// defaults and no compiler on the PATH; then a program there uses it on Windows Node.
// `npm run test:tarball -- --write` writes docs/package-managers.md.

import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { isWindows, npmCommand, readJson, root } from '../../tools/run.js';
import { installFromRegistry } from '../../tools/test-projects.js';
import { NEWEST, runWindowsNode } from '../../tools/windows-node.js';
import { pack, temporaryFolder, useOnWindows } from '../support/package.js';

interface Manager {
  name: string;
  version: string;
  /** The package that it comes in, and the program in it. */
  from: string;
  file: string;
  /** How it adds a tarball. */
  add(file: string): string[];
  /** Whether it runs the install scripts of dependencies by default, which is what is tested. */
  scripts: 'on' | 'off';
  /** The oldest major version of Node that it runs on, where that is newer than ours. */
  node?: number;
  linker?: string;
  /** Whether what it installs is joined by links, which on Windows are junctions. */
  links?: boolean;
  /** What a program of this project is started with. */
  nodeArgs?: string[];
}

// The package has no os and cpu fields; a manager that can be told still
// installs for Windows, so that a dependency with such a field would count.
const FOR_WINDOWS = ['--os=win32', '--cpu=x64'];
const npm = {
  name: 'npm',
  from: 'npm',
  file: 'bin/npm-cli.js',
  add: (file: string) => ['install', ...FOR_WINDOWS, file],
};
const pnpm = {
  ...{ name: 'pnpm', from: 'pnpm', file: 'bin/pnpm.mjs', links: true },
  add: (file: string) => ['add', ...FOR_WINDOWS, file],
};
const yarn4 = {
  ...{ name: 'Yarn', version: '4.18.1', from: '@yarnpkg/cli-dist', file: 'bin/yarn.js' },
  add: (file: string) => ['add', `loopback-fast-path@file:${file}`],
};

const NPM: Manager = { ...npm, version: '10.9.9', scripts: 'on' };
const MANAGERS: Manager[] = [
  NPM,
  { ...npm, version: '11.21.2', scripts: 'on' },
  { ...npm, version: '12.2.0', scripts: 'off', node: 22 },
  { ...pnpm, version: '11.28.11', scripts: 'off', node: 22 },
  { ...pnpm, version: '12.21.0', scripts: 'off' },
  {
    ...{ name: 'Yarn', version: '1.22.22', from: 'yarn', file: 'bin/yarn.js', scripts: 'on' },
    // Root's caches are elsewhere than at home, and it would take an older tarball of this version from there.
    add: (file) => ['add', `file:${file}`, '--cache-folder', '../cache', '--global-folder', '../global'],
  },
  { ...yarn4, scripts: 'off', linker: 'node-modules' },
  {
    ...{ ...yarn4, scripts: 'off', linker: 'pnp' },
    nodeArgs: ['--require', './.pnp.cjs', '--experimental-loader', './.pnp.loader.mjs'],
  },
];

/** For the managers that this Node is too old for. */
const NEWER_NODE = '22.23.3';

// What managers print about a package that wants to build.
const BUILD_TALK = /install[- ]scripts|build scripts|ignored builds|must be built|node-gyp(?!-build)|gyp (info|ERR)/i;

const folder = temporaryFolder();

let tarball = '';
beforeAll(async () => {
  tarball = await pack(folder);
});

/** Wine that rehearses Windows makes none; Windows does. */
function makesJunctions(): boolean {
  try {
    symlinkSync(folder, join(folder, 'junction'), 'junction');
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOTSUP') return false;
    throw error;
  }
}
const cannotLink = !makesJunctions();

/** This Node, or a newer one for a manager that needs it. */
async function nodeFor(major = 0): Promise<string> {
  if (Number.parseInt(process.versions.node, 10) >= major) return process.execPath;
  const name = `node-${isWindows ? 'win' : process.platform}-${process.arch}`;
  return join(await installFromRegistry(name, NEWER_NODE), 'bin', isWindows ? 'node.exe' : 'node');
}

/** A PATH with Node and a shell, and no compiler, make or Python. */
function pathWith(node: string, bin: string): string {
  if (isWindows) return [dirname(node), join(process.env.SystemRoot ?? '', 'System32')].join(delimiter);
  mkdirSync(bin);
  // A copy: managers put the folder that Node is really in on the PATH of scripts.
  copyFileSync(node, join(bin, 'node'));
  symlinkSync('/bin/sh', join(bin, 'sh'));
  return bin;
}

/** This environment without what tells a package manager something, nor the user's settings and caches. */
function environment(home: string, path: string, recorder: string): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(
    ([name]) =>
      !/^(npm|pnpm|yarn|xdg|corepack|vitest)_|^(path|home|init_cwd|node_options|node_env|ci|vitest|test)$/i.test(name),
  );
  const registry = execFileSync(...npmCommand(['config', 'get', 'registry']), { encoding: 'utf8' }).trim();
  return {
    ...Object.fromEntries(kept),
    ...{ PATH: path, HOME: home, USERPROFILE: home, APPDATA: home, LOCALAPPDATA: home },
    ...{ npm_config_registry: registry, pnpm_config_registry: registry, YARN_NPM_REGISTRY_SERVER: registry },
    NODE_OPTIONS: `--require "${recorder.replaceAll('\\', '/')}"`,
  };
}

/** The project of a user. Yarn keeps to it, so that it can be run under another path. */
function writeProject(project: string, linker: string | undefined): void {
  mkdirSync(project, { recursive: true });
  writeFileSync(join(project, 'package.json'), '{ "name": "project", "private": true }');
  const architectures = 'supportedArchitectures: { os: [win32], cpu: [x64] }';
  const settings = [`nodeLinker: ${linker}`, 'enableGlobalCache: false', 'enableTelemetry: false', architectures];
  if (linker) writeFileSync(join(project, '.yarnrc.yml'), settings.join('\n'));
  for (const file of ['main.mjs', 'use.mjs']) copyFileSync(join(root, 'test/tarball', file), join(project, file));
}

/** Notes for which script of which package a Node runs: node-gyp for example. */
const recorder = (record: string) => `const { npm_lifecycle_event: event, npm_package_name: name } = process.env;
if (event) require('node:fs').appendFileSync(${JSON.stringify(record)}, \`\${name} \${event}\\n\`);`;

const rows: string[] = [];
let testedOn = '';

const projectOf = ({ name, version, linker }: Manager) => join(folder, `${name}-${version}-${linker}`, 'project');

function testManager(manager: Manager): void {
  const project = projectOf(manager);
  const place = dirname(project);
  const record = join(place, 'scripts.txt');
  let output = '';
  let status: number | null = null;

  beforeAll(async () => {
    writeProject(project, manager.linker);
    writeFileSync(join(place, 'recorder.cjs'), recorder(record));
    const node = await nodeFor(manager.node);
    const env = environment(join(place, 'home'), pathWith(node, join(place, 'bin')), join(place, 'recorder.cjs'));
    const program = join(await installFromRegistry(manager.from, manager.version), manager.file);
    const own = isWindows ? node : join(place, 'bin/node');
    const options = { cwd: project, env, encoding: 'utf8', timeout: 240_000 } as const;
    const ended = spawnSync(own, [program, ...manager.add(tarball)], options);
    status = ended.status;
    output = ended.stdout + ended.stderr;
  });

  test('installs it, and says nothing of build scripts', () => {
    expect({ status, output }).toMatchObject({ status: 0, output: expect.not.stringMatching(BUILD_TALK) });
  });

  test('runs no script', () => {
    expect(existsSync(record) ? readFileSync(record, 'utf8') : '').toBe('');
  });

  test('a program with register preloaded uses it on Windows Node', async () => {
    const preload = ['--require', 'loopback-fast-path/register'];
    const { answer, node } = await useOnWindows(project, [...(manager.nodeArgs ?? []), ...preload, 'main.mjs']);
    const linker = manager.linker ? ` (${manager.linker})` : '';
    testedOn = node;
    rows.push(
      `| ${manager.name}${linker} | ${manager.version} | clean | none (${manager.scripts} by default) | ${answer}, echo ok |`,
    );
  });
}

for (const manager of MANAGERS) {
  const { name, version, linker, links } = manager;
  const title = [name, version, linker, links && '[where the system makes junctions]'].filter(Boolean).join(' ');
  describe.skipIf(links && cannotLink)(title, () => testManager(manager));
}

describe('the command, as npm installed it', () => {
  const project = projectOf(NPM);
  const { version } = readJson(join(root, 'package.json'));

  test.each([['--version'], ['doctor', '--json']])('npx starts it: %s', async (...args) => {
    const program = join(await installFromRegistry(NPM.from, NPM.version), NPM.file);
    const npx = [program, 'exec', '--offline', '--', 'loopback-fast-path', ...args];
    const { stdout } = spawnSync(process.execPath, npx, { cwd: project, encoding: 'utf8' });
    if (args.length === 1) expect(stdout.trim()).toBe(version);
    else expect(JSON.parse(stdout)).toMatchObject({ version });
  });

  test('its doctor looks at Windows Node', async () => {
    const main = 'node_modules/loopback-fast-path/dist/cli/main.js';
    const code = await runWindowsNode(NEWEST, [main, 'doctor'], { folder: project, quiet: true, seconds: 120 });
    // Not usable is an answer as well; Wine gives it.
    expect(isWindows ? [0, 1] : [1]).toContain(code);
  });
});

test.skipIf(isWindows)('docs/package-managers.md says so [as Wine answers, not on Windows]', async () => {
  await expect(`# Package managers

Each installs the packed file in an empty folder, with its own defaults and no
compiler on the PATH; then a program there, with \`loopback-fast-path/register\`
preloaded, probes, and sends data from an armed client through an armed server. Made by
\`npm run test:tarball -- --write\` on Linux, the program on node.exe under Wine (Node ${testedOn}).

| manager | version | install | scripts run | program on Windows Node |
| --- | --- | --- | --- | --- |
${rows.join('\n')}

\`WSAEOPNOTSUPP\` is what Wine answers to the ioctl: the binary was loaded. Yarn
with Plug'n'Play unplugs the package by itself, because it holds \`.node\` files.
`).toMatchFileSnapshot(join(root, 'docs/package-managers.md'));
});
