// `npm run test:bundlers`: the package in bundles. Each bundler of test/bundlers
// makes one with its configuration there, from the packed package; moved to an
// empty folder, so that nothing but the bundle is found, it runs on Windows Node.

import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cached, fingerprint } from './cache.js';
import { installDependencies, isMain, isWindows, npm, readJson, root, run } from './run.js';
import { packInto, runOnWindows, withTemporaryFolder } from './test-tarball.js';

const folderOfConfigurations = join(root, 'test', 'bundlers');

const BUNDLERS = [
  { name: 'esbuild', args: ['esbuild.mjs'], bundles: ['server.cjs', 'server.mjs', 'main.cjs'] },
  { name: 'webpack', args: ['../node_modules/webpack-cli/bin/cli.js'], bundles: ['server.cjs'] },
  { name: 'rollup', args: ['../node_modules/rollup/dist/bin/rollup', '--config'], bundles: ['server.mjs'] },
  { name: 'vite', args: ['../node_modules/vite/bin/vite.js', 'build'], bundles: ['server.mjs'] },
];

function installBundlers() {
  const lockfile = readFileSync(join(folderOfConfigurations, 'package-lock.json'), 'utf8');
  return cached(`bundlers-${process.platform}-${fingerprint(lockfile)}`, (folder) => {
    console.log('Installing the bundlers in the cache (once)');
    for (const file of ['package.json', 'package-lock.json']) {
      cpSync(join(folderOfConfigurations, file), join(folder, file));
    }
    npm(['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--silent'], { cwd: folder });
  });
}

/** A project with the configurations and the packed package, and the bundlers one folder above. */
function writeProject(folder) {
  symlinkSync(join(installBundlers(), 'node_modules'), join(folder, 'node_modules'), 'junction');
  const project = join(folder, 'project');
  mkdirSync(project);
  for (const file of readdirSync(folderOfConfigurations).filter((name) => name.endsWith('.mjs'))) {
    cpSync(join(folderOfConfigurations, file), join(project, file));
  }
  cpSync(join(root, 'test', 'tarball', 'use.mjs'), join(project, 'use.mjs'));
  writeFileSync(join(project, 'package.json'), '{ "name": "project", "private": true }');
  const tarball = packInto(folder);
  npm(['install', `../${tarball}`, '--ignore-scripts', '--no-audit', '--no-fund', '--silent'], { cwd: project });
  return project;
}

/** That a bundle for Windows loads nothing native elsewhere, and says so with the package's own error. */
function refusesElsewhere(folder, bundle) {
  if (isWindows) return true;
  const { stderr } = spawnSync(process.execPath, [bundle], { cwd: folder, encoding: 'utf8' });
  return stderr.includes('ERR_LOOPBACK_FAST_PATH_PLATFORM');
}

async function testBundle(name, version, folder, bundle) {
  const { ok, program } = await runOnWindows(folder, [bundle]);
  rmSync(join(folder, 'result.json'), { force: true });
  const refuses = refusesElsewhere(folder, bundle);
  const elsewhere = refuses ? '' : `, not the error expected on ${process.platform}`;
  return { name: `${name} ${version}, ${bundle}`, ok: ok && refuses, program: program + elsewhere };
}

/** Bundles with one bundler and runs each bundle where nothing else is. */
async function testBundler({ name, args, bundles }, project) {
  const { version } = readJson(join(project, '..', 'node_modules', name, 'package.json'));
  run(process.execPath, args, { cwd: project, stdio: ['ignore', 'ignore', 'inherit'] });
  return withTemporaryFolder(async (folder) => {
    const moved = join(folder, name);
    renameSync(join(project, 'dist'), moved);
    const native = readdirSync(moved, { recursive: true }).filter((file) => file.endsWith('.node'));
    console.log(`${name} ${version}: ${native.length} .node file${native.length === 1 ? '' : 's'}`);
    const results = [];
    for (const bundle of bundles) results.push(await testBundle(name, version, moved, bundle));
    return results;
  });
}

/** Tests the bundles. @returns {Promise<{ name: string, ok: boolean, program: string }[]>} */
export function testBundlers() {
  return withTemporaryFolder(async (folder) => {
    const project = writeProject(folder);
    const results = [];
    for (const bundler of BUNDLERS) results.push(...(await testBundler(bundler, project)));
    for (const { name, program } of results) console.log(`${name}: ${program}`);
    return results;
  });
}

if (isMain(import.meta.url)) {
  installDependencies();
  const results = await testBundlers();
  const failed = results.filter(({ ok }) => !ok).map(({ name }) => name);
  console.log(failed.length > 0 ? `\nFailed: ${failed.join(', ')}` : `\n${results.length} passed`);
  process.exitCode = failed.length > 0 ? 1 : 0;
}
