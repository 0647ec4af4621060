// docs/licences.md, prebuilds/NOTICE and build/sbom.json, from what npm says of the
// lockfiles. `npm run supply-chain` writes them.

import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ARCHITECTURES, NAME } from '../../tools/build-native.js';
import { npmCommand, readJson, root } from '../../tools/run.js';

interface Component {
  name: string;
  version: string;
  licenses: { license: { id: string }; expression?: string }[];
  [property: string]: unknown;
}

/** Headers that are compiled into the shipped binaries. */
const COMPILED_IN = ['node-addon-api', 'node-api-headers'];

/** What may be shipped. */
const SHIPPED = ['Apache-2.0', 'BSD-2-Clause', 'BSD-3-Clause', 'ISC', 'MIT'];
/** What may be used to develop this; another licence is a decision to take. */
const USED = [
  ...SHIPPED,
  ...['0BSD', 'BlueOak-1.0.0', 'CC-BY-4.0', 'CC0-1.0', 'MIT-0', 'MPL-2.0', 'Python-2.0', 'Unlicense', 'WTFPL'],
];

/** Folders of the repository with a package.json. */
const projects = ['.', ...readdirSync(join(root, 'test')).map((name) => `test/${name}`)].filter((folder) =>
  existsSync(join(root, folder, 'package.json')),
);

// One that was made where a package for another system was not to be had lacks it, and is
// refused where nothing is in the cache.
test.each(projects)('npm ci takes the lockfile of %s', (folder) => {
  const args = ['ci', '--dry-run', '--offline', '--ignore-scripts', '--no-audit', '--loglevel=error'];
  execFileSync(...npmCommand(args), { cwd: join(root, folder), stdio: 'pipe' });
});

/** What npm says of a project's lockfile, in the form of CycloneDX. */
function npmSbom(folder: string, ...flags: string[]) {
  const args = ['sbom', '--package-lock-only', '--sbom-format', 'cyclonedx', '--loglevel=error', ...flags];
  const text = execFileSync(...npmCommand(args), { cwd: join(root, folder), encoding: 'utf8' });
  return JSON.parse(text) as {
    bomFormat: string;
    metadata: { component: { name: string; version: string } };
    components: Component[];
    dependencies: { ref: string; dependsOn: string[] }[];
  };
}

const shipped = npmSbom('.', '--omit', 'dev');
// Programs of others that are run to see what becomes of them: nothing here uses them.
const subjects = ['test/consumers', 'test/strangers', 'test/suites'];
const all = projects.filter((folder) => !subjects.includes(folder)).flatMap((folder) => npmSbom(folder).components);
const compiled = npmSbom('.').components.filter(({ name }) => COMPILED_IN.includes(name));
const developed = all.filter(
  ({ name }) => !COMPILED_IN.includes(name) && !shipped.components.some((each) => each.name === name),
);

const licence = ({ licenses: [first] }: Component) => first?.expression ?? first?.license.id ?? 'unknown';

/** "MIT OR Apache-2.0": one of them must be accepted; "AND": each. */
function isAccepted(component: Component, accepted: string[]): boolean {
  const plain = licence(component).replace(/[()]/g, '');
  return plain.split(' OR ').some((each) => each.split(' AND ').every((one) => accepted.includes(one)));
}

test('every licence is accepted', () => {
  const refused = [
    ...[...shipped.components, ...compiled].filter((each) => !isAccepted(each, SHIPPED)),
    ...developed.filter((each) => !isAccepted(each, USED)),
  ];
  expect(refused.map((each) => `${each.name} ${licence(each)}`)).toEqual([]);
});

test('docs/licences.md lists them', async () => {
  const table = (components: Component[]) =>
    components.map((each) => `| ${each.name} | ${each.version} | ${licence(each)} |`).join('\n');
  const lists = [...new Set(developed.map(licence))].sort().map((id) => {
    const names = [...new Set(developed.filter((each) => licence(each) === id).map(({ name }) => name))].sort();
    return `- **${id}** (${names.length}): ${names.join(', ')}`;
  });
  await expect(`# Licences of what is used

Made by \`npm run supply-chain\` from the lockfiles. loopback-fast-path itself is under
the [MIT licence](../LICENSE).

## Installed with it

| package | version | licence |
| --- | --- | --- |
${table(shipped.components)}

## Headers compiled into the binaries

| package | version | licence |
| --- | --- | --- |
${table(compiled)}

Those of mingw-w64 (public domain and Zope) and of libstdc++ (GPL 3 with the Runtime
Library Exception) come from Debian; no code of a library is linked.

## To develop it, and not shipped

${lists.join('\n')}
`).toMatchFileSnapshot(join(root, 'docs/licences.md'));
});

test('prebuilds/NOTICE has what the licences of compiled headers want to go with the binaries', async () => {
  const texts = COMPILED_IN.map((name) => {
    const folder = join(root, 'node_modules', name);
    const file = readdirSync(folder).find((each) => /^licen[cs]e/i.test(each)) ?? '';
    return `${name}\n\n${readFileSync(join(folder, file), 'utf8').replaceAll('\r\n', '\n').trim()}\n`;
  });
  const notice = `The binaries contain code of the headers of\n\n${texts.join('\n\n')}`;
  await expect(notice).toMatchFileSnapshot(join(root, 'prebuilds/NOTICE'));
});

describe.each(projects)('%s/package.json', (folder) => {
  test('names exact versions', () => {
    const { dependencies, devDependencies, optionalDependencies } = readJson(join(root, folder, 'package.json'));
    const versions = Object.values({ ...dependencies, ...devDependencies, ...optionalDependencies });
    for (const version of versions) expect(version).toMatch(/^(npm:.+@)?\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?$/);
  });
});

test('build/sbom.json names what is shipped: dependencies, binaries, and what is compiled into them', () => {
  const { name, version, dependencies } = readJson(join(root, 'package.json'));
  const binaries = ARCHITECTURES.map((arch) => `prebuilds/win32-${arch}/${NAME}`);
  const sum = (file: string) =>
    createHash('sha256')
      .update(readFileSync(join(root, file)))
      .digest('hex');
  const sbom = {
    ...shipped,
    // npm takes the name from the folder's.
    metadata: { ...shipped.metadata, component: { ...shipped.metadata.component, name } },
    components: [
      ...shipped.components,
      ...compiled,
      ...binaries.map((file) => ({
        ...{ 'bom-ref': file, type: 'file', name: file },
        hashes: [{ alg: 'SHA-256', content: sum(file) }],
      })),
    ],
    dependencies: [
      ...shipped.dependencies,
      ...binaries.map((ref) => ({ ref, dependsOn: compiled.map((each) => each['bom-ref']) })),
    ],
  };
  mkdirSync(join(root, 'build'), { recursive: true });
  writeFileSync(join(root, 'build/sbom.json'), `${JSON.stringify(sbom, undefined, 2)}\n`);

  expect(sbom.bomFormat).toBe('CycloneDX');
  expect(sbom.metadata.component).toMatchObject({ name, version });
  expect(sbom.components.map((each) => each.name)).toEqual([...Object.keys(dependencies), ...COMPILED_IN, ...binaries]);
});
