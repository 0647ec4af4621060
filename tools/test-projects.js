// The packages that some tests need, and that are kept apart from those of package.json.

import { copyFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cached, cacheFolder, fingerprint } from './cache.js';
import { installLocked, npm, root } from './run.js';

/** How what the lockfile of test/NAME says is called in the cache. */
function cacheName(name, platform) {
  return `${name}-${platform}-${fingerprint(readFileSync(join(root, 'test', name, 'package-lock.json'), 'utf8'))}`;
}

export function isProjectInstalled(name, platform = process.platform) {
  return existsSync(join(cacheFolder, cacheName(name, platform)));
}

/**
 * What the lockfile of test/NAME says, with the native parts that `platform` wants.
 *
 * @returns {Promise<string>} a folder of the cache
 */
export function installProject(name, platform = process.platform) {
  const project = join(root, 'test', name);
  return cached(cacheName(name, platform), (folder) => {
    for (const file of ['package.json', 'package-lock.json']) copyFileSync(join(project, file), join(folder, file));
    const foreign = platform === process.platform ? [] : ['--force', `--os=${platform}`, '--cpu=x64'];
    return installLocked(folder, ...foreign);
  });
}

/** One package from the registry. @returns {Promise<string>} its folder in the cache */
export async function installFromRegistry(name, version) {
  const folder = await cached(`${name.replace('/', '-')}-${version}`, (folder) => {
    writeFileSync(join(folder, 'package.json'), '{ "private": true }');
    const flags = ['--ignore-scripts', '--force', '--no-audit', '--no-fund', '--loglevel=error'];
    return npm(['install', `${name}@${version}`, ...flags], { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] });
  });
  return join(folder, 'node_modules', name);
}
