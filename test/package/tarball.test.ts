import { statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { ARCHITECTURES, NAME } from '../../tools/build-native.js';
import { readJson, root, runPackage } from '../../tools/run.js';
import { filesIn, pack, temporaryFolder } from '../support/package.js';

// Not imported: its types want those of a newer Node.
const { extract } = createRequire(import.meta.url)('tar');

/** What belongs in it. */
function expectedFiles(): string[] {
  const entries = ['index', 'win32-x64', 'win32-arm64', 'win32-ia32', 'custom'];
  const compiled = [
    ...['core.cjs', 'core.d.cts', 'node.mjs', 'register.cjs', 'register.d.cts'].map((file) => `dist/${file}`),
    ...entries.flatMap((name) => ['cjs', 'mjs', 'd.cts', 'd.mts'].map((kind) => `dist/${name}.${kind}`)),
    ...filesIn(join(root, 'src/cli')).map((source) => `dist/cli/${source.replace(/\.ts$/, '.js')}`),
  ];
  const prebuilt = ARCHITECTURES.map((arch) => `prebuilds/win32-${arch}/${NAME}`);
  const besides = ['prebuilds/SHA256SUMS', 'prebuilds/NOTICE'];
  return [...compiled, ...prebuilt, ...besides, 'README.md', 'LICENSE', 'CHANGELOG.md', 'package.json'].sort();
}

// A binary that MSVC built is not what is shipped.
describe.skipIf(process.env.LOOPBACK_TEST_BINARY === 'MSVC')('the tarball [not with a binary that MSVC built]', () => {
  const folder = temporaryFolder();

  let tarball = '';
  beforeAll(async () => {
    tarball = await pack(folder);
    await extract({ file: tarball, cwd: folder });
  });

  test('holds what belongs there, and nothing else', () => {
    expect(filesIn(join(folder, 'package'))).toEqual(expectedFiles());
  });

  test('takes at most 100 KiB', () => {
    const { size } = statSync(tarball);
    console.log(`${size} bytes`);
    expect(size).toBeLessThanOrEqual(100 * 1024);
  });

  test('has no install script, no dependency but node-gyp-build, and asks for no os or cpu', () => {
    const { scripts = {}, dependencies, os, cpu } = readJson(join(folder, 'package/package.json'));
    expect(Object.keys(scripts)).not.toEqual(expect.arrayContaining([expect.stringMatching(/^(pre|post)?install$/)]));
    expect(Object.keys(dependencies)).toEqual(['node-gyp-build']);
    expect([os, cpu]).toEqual([undefined, undefined]);
  });

  test('publint finds nothing', () => runPackage('publint/src/cli.js', ['run', tarball, '--strict']));

  test('arethetypeswrong finds nothing', () => {
    const options = ['--profile', 'node16', '--format', 'ascii', '--no-emoji'];
    return runPackage('@arethetypeswrong/cli/dist/index.js', [tarball, ...options]);
  });
});
