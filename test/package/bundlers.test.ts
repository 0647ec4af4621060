// The package in bundles. Each bundler of test/bundlers makes one with its
// configuration there, from the packed package; moved to an empty folder, so that
// nothing but the bundle is found, it runs on Windows Node.

import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { isWindows, npm, root, run } from '../../tools/run.js';
import { installProject } from '../../tools/test-projects.js';
import { pack, temporaryFolder, useOnWindows } from '../support/package.js';

const BUNDLERS = [
  { name: 'esbuild', args: ['esbuild.mjs'], bundles: ['server.cjs', 'server.mjs', 'main.cjs'] },
  { name: 'webpack', args: ['../node_modules/webpack-cli/bin/cli.js'], bundles: ['server.cjs'] },
  { name: 'rollup', args: ['../node_modules/rollup/dist/bin/rollup', '--config'], bundles: ['server.mjs'] },
  { name: 'vite', args: ['../node_modules/vite/bin/vite.js', 'build'], bundles: ['server.mjs'] },
];

const folder = temporaryFolder();

// A project with the configurations and the packed package, and the bundlers one folder above.
const project = join(folder, 'project');
beforeAll(async () => {
  symlinkSync(join(await installProject('bundlers'), 'node_modules'), join(folder, 'node_modules'), 'junction');
  cpSync(join(root, 'test/bundlers'), project, { recursive: true });
  cpSync(join(root, 'test/tarball/use.mjs'), join(project, 'use.mjs'));
  rmSync(join(project, 'package-lock.json'));
  writeFileSync(join(project, 'package.json'), '{ "name": "project", "private": true }');
  await npm(['install', await pack(folder), '--ignore-scripts', '--no-audit', '--no-fund', '--silent'], {
    cwd: project,
  });
});

describe.each(BUNDLERS)('$name', ({ name, args, bundles }) => {
  const moved = join(folder, 'moved', name);

  beforeAll(async () => {
    await run(process.execPath, args, { cwd: project, stdio: ['ignore', 'ignore', 'inherit'] });
    mkdirSync(join(folder, 'moved'), { recursive: true });
    renameSync(join(project, 'dist'), moved);
  });

  test.each(bundles)('%s runs on Windows Node', async (bundle) => {
    await useOnWindows(moved, [bundle]);
    rmSync(join(moved, 'result.json'));
  });

  test.skipIf(isWindows).each(bundles)(
    "%s loads nothing native elsewhere, and says so with the package's error [not on Windows]",
    (bundle) => {
      const { stderr } = spawnSync(process.execPath, [bundle], { cwd: moved, encoding: 'utf8' });
      expect(stderr).toContain('ERR_LOOPBACK_FAST_PATH_PLATFORM');
    },
  );
});
