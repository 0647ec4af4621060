// For windows.yml, which knows where it runs and for which tag; docs/releasing.md is
// the whole way of a release. Needs no dependencies.
//
//   node tools/release.js fill-repository     in package.json of this folder, unless it has one
//   node tools/release.js check FILE.tgz      whether this tarball may be published for this tag

import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const { GITHUB_SERVER_URL, GITHUB_REPOSITORY, GITHUB_REF_NAME } = process.env;

/** What provenance compares with the repository that the workflow ran in. */
const url = `git+${GITHUB_SERVER_URL}/${GITHUB_REPOSITORY}.git`;

function fillRepository() {
  const manifest = JSON.parse(readFileSync('package.json', 'utf8'));
  if (manifest.repository !== undefined) return;
  manifest.repository = { type: 'git', url };
  writeFileSync('package.json', `${JSON.stringify(manifest, undefined, 2)}\n`);
  console.log(`repository: ${url}`);
}

/** @returns {string[]} what is in the way */
function problemsOf(tarball) {
  const tar = (...args) => execFileSync('tar', [...args, tarball], { encoding: 'utf8' });
  const read = (file) => execFileSync('tar', ['-xzOf', tarball, `package/${file}`], { encoding: 'utf8' });
  const files = tar('-tzf').trim().split('\n');
  const { version, repository } = JSON.parse(read('package.json'));
  const binaries = readdirSync(join(import.meta.dirname, '../prebuilds'), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => `package/prebuilds/${name}/loopback-fast-path.node`);
  return [
    ...binaries.filter((file) => !files.includes(file)).map((file) => `${file} is missing`),
    ...(`v${version}` === GITHUB_REF_NAME ? [] : [`it is version ${version}, and the tag is ${GITHUB_REF_NAME}`]),
    ...(repository?.url === url ? [] : [`repository.url is ${repository?.url}, and the workflow runs in ${url}`]),
    ...(/not published yet/.test(read('README.md')) ? ['README.md says that the package is not published yet'] : []),
    ...(read('CHANGELOG.md').includes(`## [${version}]`) ? [] : [`CHANGELOG.md has no section for ${version}`]),
  ];
}

const [command, tarball] = process.argv.slice(2);
if (command === 'fill-repository') fillRepository();
else {
  const problems = problemsOf(tarball);
  for (const problem of problems) console.error(`${tarball}: ${problem}`);
  process.exitCode = problems.length > 0 ? 1 : 0;
}
