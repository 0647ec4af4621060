import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const run = promisify(execFile);

/** Runs a program that fails at once if anything native is loaded. */
async function runWithoutAddons(flag: string, program: string): Promise<string> {
  const { stdout } = await run(process.execPath, ['--no-addons', flag, '--eval', program], { cwd: root });
  return stdout.trim();
}

const NAMES =
  'FastPathAgent,FastPathHttpsAgent,LoopbackFastPathError,WINSOCK_ERROR_CODES,createFastPathConnection,' +
  'disableLoopbackFastPath,enableLoopbackFastPath,fastPathConnector,getLoopbackFastPathStatus,' +
  'isLoopbackFastPathError,probeLoopbackFastPath,registerLoopbackFastPath,runWithLoopbackFastPath,tryEnableLoopbackFastPath';

test('import loads nothing native', async () => {
  const program = `
    process.dlopen = () => { throw new Error('dlopen'); };
    const names = Object.keys(await import('loopback-fast-path'));
    console.log(names.sort().join());`;
  expect(await runWithoutAddons('--input-type=module', program)).toBe(NAMES);
});

test('import loads neither http, https, tls nor worker_threads, which take longer than itself', async () => {
  const program = `
    import 'node:net';
    const loaded = () => process.moduleLoadList.filter((name) => /^NativeModule (https?|_http.*|tls|worker_threads)$/.test(name));
    const before = loaded();
    await import('loopback-fast-path');
    console.log(loaded().length - before.length);
    await import('node:https');
    console.log(loaded().length > before.length);`;
  expect((await runWithoutAddons('--input-type=module', program)).split(/\s+/)).toEqual(['0', 'true']);
});

test('a class that extends an agent is one of Node from its first object on', async () => {
  const program = `
    import { FastPathAgent, FastPathHttpsAgent } from 'loopback-fast-path';
    import http from 'node:http';
    import https from 'node:https';
    class Mine extends FastPathHttpsAgent {}
    const mine = new Mine({ keepAlive: true });
    console.log(mine instanceof FastPathHttpsAgent, mine instanceof https.Agent, mine.keepAlive, mine.defaultPort);
    console.log(mine instanceof FastPathAgent, new FastPathAgent() instanceof https.Agent);
    console.log(FastPathAgent.defaultMaxSockets, FastPathAgent.prototype.addRequest === http.Agent.prototype.addRequest);`;
  const [its, others, inherited] = (await runWithoutAddons('--input-type=module', program)).split(/\r?\n/);
  expect([its, others, inherited]).toEqual(['true true true 443', 'false false', 'Infinity true']);
});

test('require() works', async () => {
  expect(
    await runWithoutAddons(
      '--input-type=commonjs',
      "console.log(Object.keys(require('loopback-fast-path')).sort().join())",
    ),
  ).toBe(NAMES);
});

test.each(['.', './win32-x64', './win32-arm64', './win32-ia32', './custom'])(
  'import and require() of %s return the same functions, class and codes as those of the main entry',
  async (entry) => {
    const program = `
      import { createRequire } from 'node:module';
      const require = createRequire(import.meta.url);
      const main = await import('loopback-fast-path');
      const name = ${JSON.stringify(entry)}.replace('.', 'loopback-fast-path');
      const both = [await import(name), require(name)];
      const names = '${NAMES}'.split(',');
      console.log(both.every((each) => names.every((key) => each[key] === main[key] && main[key] !== undefined)));`;
    expect(await runWithoutAddons('--input-type=module', program)).toBe('true');
  },
);

test('the preload module loads nothing but itself', async () => {
  const program = `
    require('loopback-fast-path/register');
    const loaded = Object.keys(require.cache).map((file) => file.replace(/^.*[\\\\/]/, ''));
    console.log(loaded.sort().join());`;
  expect(await runWithoutAddons('--input-type=commonjs', program)).toBe('register.cjs');
});

test('--no-addons: typed errors and no crash', async () => {
  const program = `
    import net from 'node:net';
    import { probeLoopbackFastPath, tryEnableLoopbackFastPath } from 'loopback-fast-path';
    console.log(tryEnableLoopbackFastPath(net.createServer()), probeLoopbackFastPath().error.code);`;
  const code = process.platform === 'win32' ? 'BINARY' : 'PLATFORM';
  expect(await runWithoutAddons('--input-type=module', program)).toBe(`false ERR_LOOPBACK_FAST_PATH_${code}`);
});
