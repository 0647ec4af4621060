import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
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
  const pages = ['api', 'bundlers', 'hosts', 'measuring', 'other-ends', 'prebuilds', 'recipes', 'review'];
  const documents = ['README.md', 'LICENSE', 'CHANGELOG.md', 'SECURITY.md', ...pages.map((name) => `docs/${name}.md`)];
  return [...compiled, ...prebuilt, ...besides, ...documents, 'package.json'].sort();
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

  test('holds what `npm run build` makes in another folder, byte for byte', async () => {
    // Below the checkout, whose node_modules is found from there.
    mkdirSync(join(root, 'build'), { recursive: true });
    const elsewhere = mkdtempSync(join(root, 'build', 'elsewhere-'));
    onTestFinished(() => rmSync(elsewhere, { recursive: true, maxRetries: 10, retryDelay: 100 }));
    for (const part of ['src', 'rolldown.config.js', 'tsconfig.json', 'package.json']) {
      cpSync(join(root, part), join(elsewhere, part), { recursive: true });
    }
    await runPackage('rolldown/bin/cli.mjs', ['--config', '--logLevel', 'silent'], { cwd: elsewhere });
    for (const file of filesIn(join(folder, 'package/dist'))) {
      const [built, packed] = [elsewhere, join(folder, 'package')].map((each) =>
        readFileSync(join(each, 'dist', file), 'utf8'),
      );
      expect(built === packed, file).toBe(true);
    }
  });

  test('takes less than 100 KB', () => {
    const { size } = statSync(tarball);
    console.log(`${size} bytes`);
    expect(size).toBeLessThan(100_000);
  });

  test('no comment of its types needs docs/platform.md, which is not in it', () => {
    expect(readFileSync(join(folder, 'package/dist/core.d.cts'), 'utf8')).not.toMatch(/\b[REBK]\d{1,2}\b/);
  });

  describe('docs/review.md', () => {
    const rows = [...readFileSync(join(root, 'docs/review.md'), 'utf8').matchAll(/^\| (.*?) \| (.*) \|\r?$/gm)];
    const fact = (name: string) => rows.find(([, first]) => first === name)?.[2];

    test('says what is installed', () => {
      const contents = join(folder, 'package');
      const { version, license, dependencies, engines } = readJson(join(contents, 'package.json'));
      const [[dependency, exact] = []] = Object.entries<string>(dependencies);
      const { license: its, dependencies: theirs = {} } = readJson(
        join(root, `node_modules/${dependency}/package.json`),
      );
      expect(fact('version')).toBe(version);
      expect(fact('licence')).toBe(license);
      expect(fact('dependencies')).toBe(`\`${dependency}\` ${exact} (${its}), which has none itself`);
      expect(theirs).toEqual({});
      expect(fact('Node.js')).toBe(`${engines.node.slice(2)} or newer`);
      const [, limit = '', count = ''] = /^less than (\d+) KB, about (\d+) files$/.exec(fact('tarball') ?? '') ?? [];
      expect(statSync(tarball).size).toBeLessThan(Number(limit) * 1000);
      expect(Math.abs(filesIn(contents).length - Number(count))).toBeLessThan(10);
      for (const arch of ARCHITECTURES) {
        expect(statSync(join(contents, `prebuilds/win32-${arch}/${NAME}`)).size).toBeLessThanOrEqual(20 * 1024);
      }
    });

    test('lists every file', () => {
      const listed = rows.flatMap(([, first = '']) => [...first.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name));
      const isListed = (file: string) =>
        listed.some((name) => file === name || (/[/*]$/.test(name) && file.startsWith(name.replace('*', ''))));
      const files = filesIn(join(folder, 'package')).filter((file) => !/^prebuilds\/win32-(arm64|ia32)\//.test(file));
      expect(files.filter((file) => !isListed(file))).toEqual(['package.json']);
    });
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
