// `npm run rehearse`: the job `test` of .github/workflows/windows.yml, step by step as
// it stands there, in a clean checkout on node.exe under a Wine that accepts the ioctl
// and does not say that it is Wine: what runs are the code paths for Windows. What
// cannot run there is listed with its reason.
//
//   --node 22   another line of Node than the newest, or all

import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { buildEverything } from '../../tools/build-native.js';
import { cacheFolder } from '../../tools/cache.js';
import { isMain, npm, root } from '../../tools/run.js';
import { withServers } from '../../tools/servers.js';
import { installFromRegistry } from '../../tools/test-projects.js';
import { fetchNode, NEWEST, runUnderWine, VERSIONS, windowsDependencies } from '../../tools/windows-node.js';
import { onAcceptingWine } from '../winsock/accepting-wine.js';

const WORKFLOW = '.github/workflows/windows.yml';

/** What the expressions of the workflow are here. */
const MATRIX = { os: 'windows-2025', binary: 'committed' };

/** Actions, by name without their version: what stands in for each. */
const ACTIONS = {
  'actions/checkout': 'the files that git knows, copied',
  'actions/setup-node': 'node.exe from npm',
  'actions/download-artifact': 'the tarball is packed here',
  'actions/upload-artifact': 'what it would upload stays in build/rehearsal',
};

/** Steps that run commands and cannot here, by name or command: why, and what stands in. */
const NOT_HERE = {
  'npm ci --ignore-scripts': 'npm of Linux installs for Windows, into the cache',
  'Build with MSVC': 'no MSVC outside of Windows',
  'Start Redis (Memurai) and PostgreSQL':
    'no choco, PowerShell or services in Wine: the Redis and PostgreSQL of Debian run beside it',
};

/** What the steps that do run meet that is not what Windows has. */
const STAND_INS = [
  'bash: that of Debian, in place of the one of Git for Windows',
  'node-gyp: no MSVC, so test recorder, twin and other end are those that clang and GCC built',
  'junctions: none in Wine 10, so the tests of pnpm, which makes them, are skipped',
  'PowerShell: none in Wine, so doctor says "not known" of what it would ask it',
];

/**
 * node and npm for bash. node.exe takes no Unix pipe, so what goes into one is kept
 * until it ends.
 */
const COMMANDS = {
  node: `run() { wine 'Z:\\node\\bin\\node.exe' "$@" < /dev/null; }
if [ -p /dev/stdout ]; then
  output=$(mktemp); code=0
  run "$@" > "$output" || code=$?
  cat "$output"; rm "$output"; exit "$code"
fi
run "$@"`,
  npm: 'exec node \'Z:\\npm\\bin\\npm-cli.js\' "$@"',
};

/** What node-gyp would build, by folder: clang built it before. */
const BUILT = {
  'test/recorder': ['winsock-recorder.node'],
  'test/other-ends': ['other-end-c.exe', 'other-end-cpp.exe'],
  'bench/native': ['loopback-twin.exe'],
};

/** In place of node-gyp: puts it where node-gyp would. */
const NODE_GYP = `const { cpSync } = require('node:fs');
const { join } = require('node:path');
const folder = process.argv[process.argv.indexOf('--directory') + 1];
for (const file of ${JSON.stringify(BUILT)}[folder]) {
  cpSync(join('Z:/built', file), join(folder, 'build/Release', file));
  console.log('node-gyp: no MSVC here; ' + file + ' is the one that clang built');
}
`;

/** npm as it comes with Node on Windows, where it lies beside node.exe. */
const NPM_VERSION = '11.21.2';

/** A text of the workflow with its expressions filled in. */
function filledIn(text, node) {
  return String(text).replace(/\$\{\{ *matrix\.(\w+) *\}\}/g, (_whole, name) => ({ ...MATRIX, node })[name]);
}

function writeCommands(folder) {
  mkdirSync(folder);
  for (const [name, script] of Object.entries(COMMANDS)) {
    writeFileSync(join(folder, name), `#!/bin/bash\n${script}\n`);
    chmodSync(join(folder, name), 0o755);
  }
}

/** What lets npm under Wine find the registry that npm here finds; with its certificate, if it needs one. */
function writeRegistry(folder) {
  const found = execFileSync('npm', ['config', 'get', 'registry'], { cwd: root, encoding: 'utf8' }).trim();
  const { NODE_EXTRA_CA_CERTS: certificate } = process.env;
  if (certificate) copyFileSync(certificate, join(folder, 'certificate.pem'));
  return {
    npm_config_registry: found,
    ...(certificate ? { NODE_EXTRA_CA_CERTS: 'Z:\\commands\\certificate.pem' } : {}),
  };
}

/** A checkout as actions/checkout makes it, of the files as they are now. */
function copyCheckout(folder) {
  const files = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], { cwd: root });
  for (const file of files.toString().split('\0').filter(Boolean)) {
    cpSync(join(root, file), join(folder, file), { recursive: true, force: true });
  }
  // Older than what is installed, or the tools would install anew.
  utimesSync(join(folder, 'package-lock.json'), 0, 0);
}

/** What the step is called: its name, its command, or its action. */
const nameOf = ({ name, run, uses }) => name ?? run?.trim() ?? uses.replace(/@.*/, '');

/**
 * Runs the job.
 *
 * @returns {Promise<{ name: string, ok: boolean }[]>} each step that ran
 */
export async function rehearse(version = NEWEST) {
  // Here, and not above: it is there only once the dependencies are.
  const { parse } = await import('yaml');
  const { defaults, env = {}, steps } = parse(readFileSync(join(root, WORKFLOW), 'utf8')).jobs.test;
  if (defaults.run.shell !== 'bash') throw new Error(`${WORKFLOW}: the job test has another shell than bash`);
  const node = version.split('.')[0];
  const known = steps.map(nameOf);
  for (const name of Object.keys(NOT_HERE)) {
    if (!known.includes(name)) throw new Error(`${WORKFLOW} has no step "${name}" any more`);
  }

  const folder = mkdtempSync(join(cacheFolder, 'rehearsal-'));
  const place = (name) => join(folder, name);
  const done = [];
  const notRun = [];
  try {
    for (const name of ['checkout', 'built', 'node-gyp/bin']) mkdirSync(place(name), { recursive: true });
    copyCheckout(place('checkout'));
    mkdirSync(place('checkout/tarball'));
    await npm(['pack', '--silent', '--ignore-scripts', '--pack-destination', place('checkout/tarball')]);
    writeCommands(place('commands'));
    for (const file of Object.values(BUILT).flat()) {
      cpSync(join(root, 'build/x64/Release', file), join(place('built'), file));
    }
    writeFileSync(place('node-gyp/bin/node-gyp.js'), NODE_GYP);
    mkdirSync(join(cacheFolder, 'of-windows'), { recursive: true });
    const binds = [
      [await fetchNode(version), '/node'],
      [await installFromRegistry('npm', NPM_VERSION), '/npm'],
      [place('commands'), '/commands'],
      [place('built'), '/built'],
      [join(cacheFolder, 'of-windows'), '/of-windows'],
      [place('checkout'), '/job'],
      [await windowsDependencies(), '/job/node_modules'],
      [place('node-gyp'), '/job/node_modules/node-gyp'],
    ];
    const registry = writeRegistry(place('commands'));
    for (const step of steps) {
      const name = nameOf(step);
      const reason = step.uses ? ACTIONS[name] : NOT_HERE[name];
      if (step.uses && reason === undefined) throw new Error(`${WORKFLOW}: no word on what stands in for ${name}`);
      if (reason !== undefined) {
        notRun.push(`${name}: ${reason}`);
        continue;
      }
      console.log(`\n## ${name}`);
      const ok = await runStep({ ...step, env: { ...env, ...step.env } }, { node, binds, registry });
      done.push({ name: `rehearsed: ${name}`, ok });
      if (!ok) break;
    }
    keepOutput(place('checkout'), steps, node);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  console.log('\n## What this rehearsal is not\n');
  for (const line of [...notRun, ...STAND_INS]) console.log(`- ${line}`);
  return done;
}

/** Runs the commands of a step, as the runner does it. */
async function runStep({ run, env }, { node, binds, registry }) {
  const bash = ['bash', '--noprofile', '--norc', '-eo', 'pipefail', '-c', filledIn(run, node)];
  const code = await withServers((servers) => {
    const variables = {
      ...{ PATH: '/commands:/usr/sbin:/usr/bin:/sbin:/bin', WINEPATH: 'Z:\\node\\bin', CI: 'true' },
      ...{ LOOPBACK_FAST_PATH_CACHE: 'Z:\\of-windows', ...registry },
      ...servers,
      ...Object.fromEntries(Object.entries(env).map(([name, value]) => [name, filledIn(value, node)])),
    };
    return runUnderWine(onAcceptingWine(bash), { cwd: '/job', binds, seconds: 3000, env: variables });
  });
  return code === 0;
}

/** What the job would upload, for whoever wants to read it: none of its figures is one of Windows. */
function keepOutput(checkout, steps, node) {
  const kept = join(root, 'build', 'rehearsal');
  rmSync(kept, { recursive: true, force: true });
  mkdirSync(kept, { recursive: true });
  writeFileSync(join(kept, 'NOT-WINDOWS.txt'), 'All of this is from Wine, also where it says Windows.\n');
  const { path } = steps.find((step) => step.uses?.startsWith('actions/upload-artifact')).with;
  for (const file of filledIn(path, node).trim().split(/\s+/)) {
    if (existsSync(join(checkout, file))) cpSync(join(checkout, file), join(kept, file), { recursive: true });
    else console.log(`${file} was not made`);
  }
}

if (isMain(import.meta.url)) {
  const { values } = parseArgs({ options: { node: { type: 'string', default: NEWEST } } });
  const versions = VERSIONS.filter((version) => values.node === 'all' || `${version}.`.startsWith(`${values.node}.`));
  if (versions.length === 0) {
    throw new RangeError(`--node must be all or one of ${VERSIONS.map((version) => version.split('.')[0]).join(', ')}`);
  }
  await buildEverything();
  const failed = [];
  for (const version of versions) {
    const done = await rehearse(version);
    failed.push(...done.filter(({ ok }) => !ok).map(({ name }) => `Node ${version}, ${name}`));
  }
  for (const name of failed) console.log(`Failed: ${name}`);
  process.exitCode = failed.length > 0 ? 1 : 0;
}
