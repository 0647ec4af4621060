// The tests of test/anywhere with test/windows or test/elsewhere: on this Node, and on
// a node.exe under Wine. `node tools/suite.js 24.21.0 register` runs one file there.

import { coverageVariables, coverageVariablesUnderWine } from '../test/coverage/coverage.js';
import { isMain } from './run.js';
import { withServers } from './servers.js';
import { runVitest, vitestArguments } from './vitest.js';
import { runWindowsNode } from './windows-node.js';

export function testSuite(...files) {
  const name = `Node ${process.version}`;
  return runVitest(name, ['--project', 'suite', ...files], coverageVariables(name));
}

/** `accepting`: the Wine that accepts the ioctl. @throws {Error} when a test fails. */
export async function testSuiteUnderWine(version, { files = [], accepting = false } = {}) {
  const name = `node.exe ${version} under ${accepting ? 'the Wine that accepts the ioctl' : 'Wine'}`;
  const command = ['node_modules/vitest/vitest.mjs', ...vitestArguments(name, ['--project', 'suite', ...files])];
  const coverage = coverageVariablesUnderWine(name);
  const options = { nativeModules: true, accepting, seconds: 900 };
  const code = await withServers((env) =>
    runWindowsNode(version, command, { ...options, env: { ...env, ...coverage } }),
  );
  if (code !== 0) throw new Error('There were failures.');
}

if (isMain(import.meta.url)) {
  const [version, ...files] = process.argv.slice(2);
  await testSuiteUnderWine(version, { files });
}
