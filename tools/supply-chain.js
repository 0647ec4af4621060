// `npm run supply-chain`: docs/licences.md from the lockfiles, prebuilds/NOTICE, which
// goes with the binaries, and build/sbom.json, the bill of materials (CycloneDX) of
// what is shipped.
//
//   --check   write no document, and fail where it would differ

import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ARCHITECTURES, NAME } from './build-native.js';
import { isMain, npmCommand, readJson, root } from './run.js';

const DOCUMENTS = { 'docs/licences.md': licences, 'prebuilds/NOTICE': notice };

/** Headers that are compiled into the shipped binaries. */
const COMPILED_IN = ['node-addon-api', 'node-api-headers'];

/** What may be used to develop this; another licence is a decision to take. */
const ACCEPTED = [
  ...['0BSD', 'Apache-2.0', 'BSD-2-Clause', 'BSD-3-Clause', 'BlueOak-1.0.0', 'CC-BY-4.0', 'CC0-1.0', 'ISC'],
  ...['MIT', 'MIT-0', 'MPL-2.0', 'Python-2.0', 'Unlicense', 'WTFPL'],
];
/** What may be shipped. */
const ACCEPTED_IN_TARBALL = ['Apache-2.0', 'BSD-2-Clause', 'BSD-3-Clause', 'ISC', 'MIT'];

/** Folders of the repository with a package.json. */
function projects() {
  const folders = readdirSync(join(root, 'test'), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => `test/${name}`);
  return ['.', ...folders].filter((folder) => existsSync(join(root, folder, 'package.json')));
}

/** The packages of a project's lockfile. */
function locked(folder) {
  const { packages } = readJson(join(root, folder, 'package-lock.json'));
  return Object.entries(packages)
    .filter(([path, { link }]) => path !== '' && !link)
    .map(([path, { version, license, dev }]) => {
      const name = path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
      const use = folder !== '.' ? 'develop' : !dev ? 'depend' : COMPILED_IN.includes(name) ? 'compile' : 'develop';
      return { name, version, license: license ?? 'unknown', use };
    });
}

/** "MIT OR Apache-2.0": one of them must be accepted; "AND": each. */
function isAccepted(expression, accepted) {
  const plain = expression.replace(/[()]/g, '');
  return plain.split(' OR ').some((all) => all.split(' AND ').every((one) => accepted.includes(one)));
}

/** @returns {string} the document. @throws {Error} with the packages whose licence is not accepted. */
function licences() {
  const all = new Map(
    projects()
      .flatMap(locked)
      .map((each) => [`${each.use} ${each.name} ${each.version}`, each]),
  );
  const packages = [...all.values()].sort((a, b) => (`${a.name} ${a.version}` < `${b.name} ${b.version}` ? -1 : 1));
  const refused = packages.filter(
    ({ license, use }) => !isAccepted(license, use === 'develop' ? ACCEPTED : ACCEPTED_IN_TARBALL),
  );
  if (refused.length > 0) {
    throw new Error(`Not accepted: ${refused.map(({ name, license }) => `${name} (${license})`).join(', ')}`);
  }
  const rows = (use) =>
    packages
      .filter((each) => each.use === use)
      .map(({ name, version, license }) => `| ${name} | ${version} | ${license} |`);
  const develop = new Map();
  for (const { name, license, use } of packages) {
    if (use === 'develop') develop.set(license, (develop.get(license) ?? new Set()).add(name));
  }
  const lists = [...develop]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([license, names]) => `- **${license}** (${names.size}): ${[...names].join(', ')}`);
  return `# Licences of what is used

Made by \`npm run supply-chain\` from the lockfiles. loopback-fast-path itself is under
the [MIT licence](../LICENSE).

## Installed with it

| package | version | licence |
| --- | --- | --- |
${rows('depend').join('\n')}

## Headers compiled into the binaries

| package | version | licence |
| --- | --- | --- |
${rows('compile').join('\n')}

Those of mingw-w64 (public domain and Zope) and of libstdc++ (GPL 3 with the Runtime
Library Exception) come from Debian; no code of a library is linked.

## To develop it, and not shipped

${lists.join('\n')}
`;
}

/** What the licences of compiled headers want to go with the binaries. */
function notice() {
  const texts = COMPILED_IN.map((name) => {
    const folder = join(root, 'node_modules', name);
    const file = readdirSync(folder).find((each) => /^licen[cs]e/i.test(each));
    return `${name}\n\n${readFileSync(join(folder, file), 'utf8').replaceAll('\r\n', '\n').trim()}\n`;
  });
  return `The binaries contain code of the headers of\n\n${texts.join('\n\n')}`;
}

/** @throws {Error} where a document is not up to date, or a licence is not accepted. */
function checkLicences() {
  for (const [file, write] of Object.entries(DOCUMENTS)) {
    if (readFileSync(join(root, file), 'utf8').replaceAll('\r\n', '\n') !== write()) {
      throw new Error(`${file} is not up to date; npm run supply-chain writes it.`);
    }
  }
}

/** @throws {Error} with the dependencies that are no exact version. */
function checkVersions() {
  const ranges = projects().flatMap((folder) => {
    const { dependencies, devDependencies, optionalDependencies } = readJson(join(root, folder, 'package.json'));
    return Object.entries({ ...dependencies, ...devDependencies, ...optionalDependencies })
      .filter(([, version]) => !/^\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?$/.test(version))
      .map(([name, version]) => `${folder}/package.json: ${name} ${version}`);
  });
  if (ranges.length > 0) throw new Error(`No exact version: ${ranges.join(', ')}`);
}

/** npm's list of what is installed with it, and what else is in the tarball: the binaries, and what is in them. */
function writeSbom() {
  const args = ['sbom', '--package-lock-only', '--omit', 'dev', '--sbom-format', 'cyclonedx'];
  const { stdout, status, stderr } = spawnSync(...npmCommand(args), { cwd: root, encoding: 'utf8' });
  if (status !== 0) throw new Error(`npm sbom: ${stderr}`);
  const sbom = JSON.parse(stdout);
  // npm takes it from the folder's name.
  sbom.metadata.component.name = readJson(join(root, 'package.json')).name;
  const compiled = locked('.').filter(({ use }) => use === 'compile');
  for (const { name, version, license } of compiled) {
    const purl = `pkg:npm/${name}@${version}`;
    sbom.components.push({
      'bom-ref': purl,
      type: 'library',
      name,
      version,
      purl,
      licenses: [{ license: { id: license } }],
    });
  }
  for (const arch of ARCHITECTURES) {
    const file = `prebuilds/win32-${arch}/${NAME}`;
    const content = createHash('sha256')
      .update(readFileSync(join(root, file)))
      .digest('hex');
    sbom.components.push({ 'bom-ref': file, type: 'file', name: file, hashes: [{ alg: 'SHA-256', content }] });
    sbom.dependencies.push({ ref: file, dependsOn: compiled.map(({ name, version }) => `pkg:npm/${name}@${version}`) });
  }
  mkdirSync(join(root, 'build'), { recursive: true });
  writeFileSync(join(root, 'build/sbom.json'), `${JSON.stringify(sbom, undefined, 2)}\n`);
}

/** @throws {Error} where it does not name what is shipped. */
function checkSbom() {
  writeSbom();
  const { bomFormat, metadata, components } = readJson(join(root, 'build/sbom.json'));
  const { name, version, dependencies } = readJson(join(root, 'package.json'));
  const named = components.map((each) => (each.version ? `${each.name} ${each.version}` : each.name)).sort();
  const wanted = [
    ...Object.entries(dependencies).map((each) => each.join(' ')),
    ...locked('.')
      .filter(({ use }) => use === 'compile')
      .map((each) => `${each.name} ${each.version}`),
    ...ARCHITECTURES.map((arch) => `prebuilds/win32-${arch}/${NAME}`),
  ].sort();
  const about = `${metadata.component.name} ${metadata.component.version}`;
  if (bomFormat !== 'CycloneDX' || about !== `${name} ${version}` || named.join() !== wanted.join()) {
    throw new Error(`The bill of materials of ${about} names ${named.join(', ')}, not ${wanted.join(', ')}`);
  }
}

/** @returns {{ name: string, ok: boolean }[]} */
export function checkSupplyChain() {
  return Object.entries({ licences: checkLicences, 'exact versions': checkVersions, SBOM: checkSbom }).map(
    ([name, check]) => {
      try {
        check();
        return { name, ok: true };
      } catch (error) {
        console.error(error.message);
        return { name, ok: false };
      }
    },
  );
}

if (isMain(import.meta.url)) {
  if (!process.argv.includes('--check')) {
    for (const [file, write] of Object.entries(DOCUMENTS)) writeFileSync(join(root, file), write());
  }
  const failed = checkSupplyChain().filter(({ ok }) => !ok);
  process.exitCode = failed.length > 0 ? 1 : 0;
}
