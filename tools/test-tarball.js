// `npm run test:tarball`: the package as its users get it. Packs it, looks at
// what is in the tarball, and installs that file in an empty folder with every
// package manager, with no compiler on the PATH; then a program there uses it
// on Windows Node.
//
//   --write   write docs/package-managers.md

import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { ARCHITECTURES, NAME } from './build-native.js';
import { cached } from './cache.js';
import {
  buildTypeScript,
  installDependencies,
  isMain,
  isWindows,
  npm,
  npmCommand,
  readJson,
  root,
  runPackage,
} from './run.js';
import { NEWEST, runWindowsNode } from './windows-node.js';

const PACKAGE = 'loopback-fast-path';
const LIMIT = 100 * 1024;

/** For the managers that this Node is too old for. */
const NEWER_NODE = '22.23.3';

// The package has no os and cpu fields; a manager that can be told still
// installs for Windows, so that a dependency with such a field would count.
const FOR_WINDOWS = ['--os=win32', '--cpu=x64'];
const YARN_4 = {
  ...{ manager: 'Yarn', version: '4.18.1', package: '@yarnpkg/cli-dist', file: 'bin/yarn.js', scripts: 'off' },
  add: (file) => ['add', `${PACKAGE}@file:${file}`],
};

/**
 * `scripts` is the manager's default for install scripts of dependencies, which
 * is what is tested; `node` is the oldest Node that it runs on.
 */
const MANAGERS = [
  ...[
    { version: '10.9.9', scripts: 'on' },
    { version: '11.21.2', scripts: 'on' },
    { version: '12.2.0', scripts: 'off', node: [22, 22] },
  ].map((npm) => ({
    ...{ manager: 'npm', package: 'npm', file: 'bin/npm-cli.js', ...npm },
    add: (file) => ['install', ...FOR_WINDOWS, file],
  })),
  ...[{ version: '11.28.11', node: [22, 13] }, { version: '12.21.0' }].map((pnpm) => ({
    ...{ manager: 'pnpm', package: 'pnpm', file: 'bin/pnpm.mjs', scripts: 'off', ...pnpm },
    add: (file) => ['add', ...FOR_WINDOWS, file],
  })),
  {
    ...{ manager: 'Yarn', version: '1.22.22', package: 'yarn', file: 'bin/yarn.js', scripts: 'on' },
    // Root's caches are elsewhere than at home, and it would take an older tarball of this version from there.
    add: (file) => ['add', `file:${file}`, '--cache-folder', '../cache', '--global-folder', '../global'],
  },
  { ...YARN_4, linker: 'node-modules' },
  {
    ...{ ...YARN_4, linker: 'pnp' },
    nodeArgs: ['--require', './.pnp.cjs', '--experimental-loader', './.pnp.loader.mjs'],
  },
];

// What managers print about a package that wants to build.
const BUILD_TALK = /install[- ]scripts|build scripts|ignored builds|must be built|node-gyp(?!-build)|gyp (info|ERR)/i;

/** Calls `action` with a new folder outside of any project, gone afterwards. */
export async function withTemporaryFolder(action) {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), `${PACKAGE}-`)));
  try {
    return await action(folder);
  } finally {
    // Windows keeps files of a process that has just ended for a moment.
    rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  }
}

/** Packs the package as it would be published. @returns {string} the file's name in `folder` */
export function packInto(folder) {
  buildTypeScript();
  npm(['pack', '--silent', '--ignore-scripts', '--pack-destination', folder], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  return readdirSync(folder).find((name) => name.endsWith('.tgz'));
}

/** Runs use.mjs of test/tarball in `folder` on Windows Node. @returns what the table says of it */
export async function runOnWindows(folder, args) {
  const code = await runWindowsNode(NEWEST, args, { folder, quiet: true, seconds: 60 });
  if (code !== 0) return { ok: false, program: `exit code ${code}` };
  const { answer, node } = readJson(join(folder, 'result.json'));
  return { ok: isWindows || answer === 'WSAEOPNOTSUPP', program: `${answer}, echo ok`, node };
}

function expectedFiles() {
  const entries = ['index', 'win32-x64', 'win32-arm64', 'win32-ia32', 'custom'];
  const compiled = [
    ...['core.cjs', 'core.d.cts', 'node.mjs', 'register.cjs', 'register.d.cts'].map((file) => `dist/${file}`),
    ...entries.flatMap((name) => ['cjs', 'mjs', 'd.cts', 'd.mts'].map((kind) => `dist/${name}.${kind}`)),
    ...filesIn(join(root, 'src/cli')).map((source) => `dist/cli/${source.replace(/\.ts$/, '.js')}`),
  ];
  const prebuilt = ARCHITECTURES.map((arch) => `prebuilds/win32-${arch}/${NAME}`);
  const besides = ['prebuilds/SHA256SUMS', 'prebuilds/NOTICE'];
  return [...compiled, ...prebuilt, ...besides, 'README.md', 'LICENSE', 'CHANGELOG.md', 'package.json'];
}

function filesIn(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) =>
      join(entry.parentPath, entry.name)
        .slice(folder.length + 1)
        .replaceAll('\\', '/'),
    );
}

/** What is wrong with the tarball itself. @returns {Promise<string[]>} */
async function tarballProblems(folder, tarball) {
  // Here, and not above: it is there only once the dependencies are.
  const { extract } = await import('tar');
  await extract({ file: join(folder, tarball), cwd: folder });
  const unpacked = join(folder, 'package');
  const problems = [];
  const { size } = statSync(join(folder, tarball));
  console.log(`${tarball}: ${size} bytes`);
  if (size > LIMIT) problems.push(`${size} bytes are more than ${LIMIT}`);
  const [files, expected] = [filesIn(unpacked), expectedFiles()];
  for (const file of files) if (!expected.includes(file)) problems.push(`${file} does not belong there`);
  for (const file of expected) if (!files.includes(file)) problems.push(`${file} is missing`);
  const { scripts = {}, dependencies, os, cpu } = readJson(join(unpacked, 'package.json'));
  for (const name of ['preinstall', 'install', 'postinstall']) {
    if (scripts[name]) problems.push(`it has a script ${name}`);
  }
  if (Object.keys(dependencies).join() !== 'node-gyp-build') problems.push('its dependencies are not node-gyp-build');
  if (os || cpu) problems.push('it names an os or a cpu');
  return problems;
}

/**
 * The command as its users start it: with npx here, and the doctor of the installed
 * package on Windows Node. `project` is a folder where `manager`, an npm, installed it.
 */
async function testCommand(project, { package: name, version, file }) {
  const npm = join(installFromRegistry(name, version), 'node_modules', name, file);
  const npx = (...args) =>
    spawnSync(process.execPath, [npm, 'exec', '--offline', '--', PACKAGE, ...args], { cwd: project, encoding: 'utf8' });
  const shown = npx('--version').stdout.trim();
  const doctor = npx('doctor', '--json');
  const found = doctor.stdout === '' ? undefined : JSON.parse(doctor.stdout);
  const known = readJson(join(root, 'package.json')).version;
  const problems = [];
  if (shown !== known) problems.push(`npx ${PACKAGE} --version says ${shown || 'nothing'}, not ${known}`);
  if (found?.version !== known) problems.push(`npx ${PACKAGE} doctor says ${doctor.stdout}${doctor.stderr}`);
  const main = `node_modules/${PACKAGE}/dist/cli/main.js`;
  const code = await runWindowsNode(NEWEST, [main, 'doctor'], { folder: project, quiet: true, seconds: 120 });
  // Not usable is an answer as well; Wine gives it.
  if (code !== 1 && !(isWindows && code === 0)) problems.push(`doctor on Windows Node ends with exit code ${code}`);
  return { name: `npx ${PACKAGE}`, ok: problems.length === 0, problems };
}

/** The linters of packages. */
function lint(tarball) {
  runPackage('publint/src/cli.js', ['run', tarball, '--strict']);
  const options = ['--profile', 'node16', '--format', 'ascii', '--no-emoji'];
  runPackage('@arethetypeswrong/cli/dist/index.js', [tarball, ...options]);
}

function installFromRegistry(name, version) {
  return cached(`${name.replace('/', '-')}-${version}`, (folder) => {
    writeFileSync(join(folder, 'package.json'), '{ "private": true }');
    npm(['install', `${name}@${version}`, '--ignore-scripts', '--force', '--no-audit', '--no-fund', '--silent'], {
      cwd: folder,
    });
  });
}

/** This Node, or a newer one for a manager that needs it. */
function nodeFor([major, minor] = [0, 0]) {
  const [ownMajor, ownMinor] = process.versions.node.split('.').map(Number);
  if (ownMajor > major || (ownMajor === major && ownMinor >= minor)) return process.execPath;
  const name = `node-${isWindows ? 'win' : process.platform}-${process.arch}`;
  const modules = join(installFromRegistry(name, NEWER_NODE), 'node_modules', name);
  return join(modules, 'bin', isWindows ? 'node.exe' : 'node');
}

/** A PATH with Node and a shell, and no compiler, make or Python. */
function pathWith(node, folder) {
  if (isWindows) return [dirname(node), join(process.env.SystemRoot, 'System32')].join(delimiter);
  mkdirSync(folder);
  // A copy: managers put the folder that Node is really in on the PATH of scripts.
  copyFileSync(node, join(folder, 'node'));
  symlinkSync('/bin/sh', join(folder, 'sh'));
  return folder;
}

/** This environment without what tells a package manager something, nor the user's settings and caches. */
function environment(home, path, recorder) {
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^(npm|pnpm|yarn|xdg|corepack)_|^(path|home|init_cwd|node_options|ci)$/i.test(name),
  );
  const { stdout } = spawnSync(...npmCommand(['config', 'get', 'registry']), { encoding: 'utf8' });
  const registry = stdout.trim();
  return {
    ...Object.fromEntries(kept),
    ...{ PATH: path, HOME: home, USERPROFILE: home, APPDATA: home, LOCALAPPDATA: home },
    ...{ npm_config_registry: registry, pnpm_config_registry: registry, YARN_NPM_REGISTRY_SERVER: registry },
    NODE_OPTIONS: `--require "${recorder.replaceAll('\\', '/')}"`,
  };
}

/** A module that notes for which script of which package a Node runs: node-gyp for example. */
function writeRecorder(folder) {
  const record = join(folder, 'scripts.txt');
  const recorder = join(folder, 'recorder.cjs');
  writeFileSync(
    recorder,
    `const { npm_lifecycle_event: event, npm_package_name: name } = process.env;
if (event) require('node:fs').appendFileSync(${JSON.stringify(record)}, \`\${name} \${event}\\n\`);`,
  );
  return { recorder, scriptsRun: () => (existsSync(record) ? readFileSync(record, 'utf8') : '') };
}

/** The project of a user. Yarn keeps to it, so that it can be run under another path. */
function writeProject(folder, linker) {
  mkdirSync(folder);
  writeFileSync(join(folder, 'package.json'), '{ "name": "project", "private": true }');
  const settings = [
    `nodeLinker: ${linker}`,
    'enableGlobalCache: false',
    'enableTelemetry: false',
    'supportedArchitectures: { os: [win32], cpu: [x64] }',
  ];
  if (linker) writeFileSync(join(folder, '.yarnrc.yml'), settings.join('\n'));
  for (const file of ['main.mjs', 'use.mjs']) copyFileSync(join(root, 'test/tarball', file), join(folder, file));
}

async function testManager(manager, folder, tarball) {
  mkdirSync(folder);
  const project = join(folder, 'project');
  writeProject(project, manager.linker);
  const node = nodeFor(manager.node);
  const { recorder, scriptsRun } = writeRecorder(folder);
  const env = environment(join(folder, 'home'), pathWith(node, join(folder, 'bin')), recorder);
  const program = join(
    installFromRegistry(manager.package, manager.version),
    ...['node_modules', manager.package, manager.file],
  );
  const { status, stdout, stderr } = spawnSync(
    isWindows ? node : join(env.PATH, 'node'),
    [program, ...manager.add(`../../${tarball}`)],
    { cwd: project, env, encoding: 'utf8', timeout: 120_000 },
  );
  const output = stdout + stderr;
  const ran = scriptsRun();
  const warned = BUILD_TALK.test(output);
  if (status !== 0 || ran || warned) console.log(output, ran);
  const install = status !== 0 ? `exit code ${status}` : warned ? 'warns about build scripts' : 'clean';
  const preload = ['--require', `${PACKAGE}/register`];
  const result = await runOnWindows(project, [...(manager.nodeArgs ?? []), ...preload, 'main.mjs']);
  return {
    name: `${manager.manager} ${manager.version}${manager.linker ? ` (${manager.linker})` : ''}`,
    ...{ manager, install, ...result },
    scripts: ran ? ran.trim().replaceAll('\n', ', ') : 'none',
    ok: result.ok && install === 'clean' && !ran,
  };
}

function table(results) {
  const rows = results.map(({ manager, install, scripts, program }) => [
    manager.linker ? `${manager.manager} (${manager.linker})` : manager.manager,
    ...[manager.version, install, `${scripts} (${manager.scripts} by default)`, program],
  ]);
  const head = ['manager', 'version', 'install', 'scripts run', 'program on Windows Node'];
  return [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');
}

function write(results) {
  const system = isWindows ? 'on Windows' : `on ${process.platform}, the program on node.exe under Wine`;
  const text = `# Package managers

Each installs the packed file in an empty folder, with its own defaults and no
compiler on the PATH; then a program there, with \`loopback-fast-path/register\`
preloaded, probes, and sends data from an armed client through an armed server. Made by
\`npm run test:tarball -- --write\` ${system} (Node ${results[0].node}).

${table(results)}

\`WSAEOPNOTSUPP\` is what Wine answers to the ioctl: the binary was loaded. Yarn
with Plug'n'Play unplugs the package by itself, because it holds \`.node\` files.
`;
  writeFileSync(join(root, 'docs/package-managers.md'), text);
}

/**
 * Tests the tarball.
 *
 * @returns {Promise<{ name: string, ok: boolean }[]>} for the tarball, its command, and each manager
 */
export function testTarball({ writeTable = false } = {}) {
  return withTemporaryFolder(async (folder) => {
    const tarball = packInto(folder);
    const problems = await tarballProblems(folder, tarball);
    try {
      lint(join(folder, tarball));
    } catch (error) {
      problems.push(error.message);
    }
    for (const problem of problems) console.log(`The tarball: ${problem}`);
    const results = [];
    for (const [index, manager] of MANAGERS.entries()) {
      const start = Date.now();
      results.push(await testManager(manager, join(folder, String(index)), tarball));
      const { name, install, scripts, program } = results[index];
      const seconds = ((Date.now() - start) / 1000).toFixed(1);
      console.log(`${name}: ${install}, scripts run: ${scripts}, program: ${program} (${seconds} s)`);
    }
    if (writeTable) write(results);
    const command = await testCommand(join(folder, '0', 'project'), MANAGERS[0]);
    for (const problem of command.problems) console.log(problem);
    return [{ name: 'tarball', ok: problems.length === 0, problems }, command, ...results];
  });
}

if (isMain(import.meta.url)) {
  installDependencies();
  const results = await testTarball({ writeTable: process.argv.includes('--write') });
  const failed = results.filter(({ ok }) => !ok).map(({ name }) => name);
  console.log(failed.length > 0 ? `\nFailed: ${failed.join(', ')}` : `\n${results.length} passed`);
  process.exitCode = failed.length > 0 ? 1 : 0;
}
