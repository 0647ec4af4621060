// `npm test`: everything that must hold before a change lands. On Windows with
// this Node; elsewhere on this system's Node and on every supported node.exe
// under Wine. Sets up what it needs. The last line counts the tests.

import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { checkAcceptingWine } from './accepting-wine-checks.js';
import { checkApi, writeDocs } from './api.js';
import { isArm64CacheWarm, isArm64Tested, testArm64 } from './arm64.js';
import { buildNative } from './build-native.js';
import { checkConformance } from './conformance.js';
import { clangFormat } from './format.js';
import { fuzzBriefly } from './fuzz.js';
import { testIa32 } from './ia32.js';
import { lintWorkflows } from './lint-workflows.js';
import { checkMsvcOptions } from './msvc-options.js';
import { checkNative } from './native-checks.js';
import { buildTypeScript, installDependencies, isWindows, readJson, root, run, runPackage } from './run.js';
import { soakBriefly } from './soak.js';
import { checkSupplyChain } from './supply-chain.js';
import { testBrowser } from './test-browser.js';
import { testBundlers } from './test-bundlers.js';
import { testTarball } from './test-tarball.js';
import { NEWEST, runWindowsNode, VERSIONS } from './windows-node.js';

const results = join(root, 'build', 'results');
const failed = [];
const counted = { passed: 0, failed: 0 };

/** Runs a step. What it returns counts its checks: { passed, failed }, or [{ name, ok }]. */
async function step(name, action) {
  const start = Date.now();
  console.log(`\n# ${name}`);
  try {
    const checks = await action();
    if (Array.isArray(checks)) {
      for (const { ok } of checks) counted[ok ? 'passed' : 'failed'] += 1;
    } else if (checks !== undefined) {
      counted.passed += checks.passed;
      counted.failed += checks.failed;
    }
  } catch (error) {
    console.error(error.message);
    failed.push(name);
  }
  console.log(`# ${name}: ${((Date.now() - start) / 1000).toFixed(1)} s`);
}

function vitest(name) {
  return [
    ...['node_modules/vitest/vitest.mjs', 'run', '--reporter=default', '--reporter=json'],
    `--outputFile.json=build/results/${name}.json`,
  ];
}

/** The tests of all runs by what became of them, each with the run it was in. */
function outcomes() {
  const tests = readdirSync(results).flatMap((file) =>
    readJson(join(results, file)).testResults.flatMap(({ assertionResults }) =>
      assertionResults.map(({ fullName, status }) => ({ name: `${file.replace('.json', '')}: ${fullName}`, status })),
    ),
  );
  const named = (wanted) => tests.filter(({ status }) => wanted(status)).map(({ name }) => name);
  const passed = named((status) => status === 'passed');
  const wrong = named((status) => status === 'failed');
  const skipped = named((status) => status !== 'passed' && status !== 'failed');
  return { passed, wrong, skipped };
}

rmSync(results, { recursive: true, force: true });
mkdirSync(results, { recursive: true });
installDependencies();

await step('format and lint', () => runPackage('@biomejs/biome/bin/biome', ['check', '--error-on-warnings', '.']));
await step('layers of src/', () => runPackage('dependency-cruiser/bin/dependency-cruise.mjs', ['src']));
await step('workflows', lintWorkflows);
await step('conformance', checkConformance);
await step('licences, exact versions, SBOM', checkSupplyChain);
await step('types', () => {
  buildTypeScript();
  // The tests look into types of the command, which are not packed.
  const isPacked = process.env.LOOPBACK_TEST_DIST === 'packed';
  for (const project of isPacked ? ['.'] : ['.', 'test']) runPackage('typescript/bin/tsc', ['-p', project]);
});
await step('public surface', checkApi);
await step('pages of the API', writeDocs);
await step('native build', () => buildNative({ check: true }));
if (!isWindows) {
  await step('options for MSVC', checkMsvcOptions);
  await step('format of native code', () => clangFormat('--dry-run', '-Werror'));
  await step('clang-tidy, GCC, no global state', checkNative);
  await step('native code, fuzzed', fuzzBriefly);
}
await step(`tests on ${process.platform}, Node ${process.version}`, () =>
  run(process.execPath, vitest(process.version)),
);
if (!isWindows) {
  for (const version of VERSIONS) {
    await step(`tests on node.exe ${version} under Wine`, async () => {
      const code = await runWindowsNode(version, vitest(`wine-${version}`), { databases: true });
      if (code !== 0) throw new Error('There were failures.');
    });
  }
  await step('the Wine that accepts the ioctl', checkAcceptingWine);
  await step(`tests on node.exe ${NEWEST} under the Wine that accepts the ioctl`, async () => {
    const code = await runWindowsNode(NEWEST, vitest(`accepting-${NEWEST}`), { accepting: true, databases: true });
    if (code !== 0) throw new Error('There were failures.');
  });
}

await step('soak', soakBriefly);
if (!isWindows) {
  await step('tests on the 32-bit node.exe under Wine', testIa32);
  if (isArm64CacheWarm() || !isArm64Tested()) await step('tests on node.exe for arm64 under Wine', testArm64);
  else
    console.log(
      '\nnode.exe for arm64: the binary is the one that passed; npm run test:arm64 sets up a machine (12 min)',
    );
  await step('bundlers', testBundlers);
  await step('the page of bench in a browser', testBrowser);
}
if (process.env.LOOPBACK_TEST_BINARY === 'MSVC') {
  console.log('\nThe tarball: not with a binary that MSVC built, which is not what is shipped');
} else {
  await step('the tarball, and package managers', testTarball);
}

const { passed, wrong, skipped } = outcomes();
for (const name of skipped) console.log(`Skipped on ${name}`);
for (const name of [...wrong, ...failed]) console.log(`Failed: ${name}`);
// A step that failed without a failed test, such as the linter, counts as one.
const failures = Math.max(wrong.length, failed.length) + counted.failed;
const total = `${passed.length + counted.passed} passed, ${failures} failed`;
console.log(`\n${total}${skipped.length > 0 ? `, ${skipped.length} skipped` : ''}`);
process.exitCode = failures > 0 ? 1 : 0;
