// `npm run strangers`: programs that nobody here wrote, plain and armed, on Windows
// Node and with real servers beside them; sets up what they need.
//
//   npm run strangers -- [--node 26.10.0] [--at-once N] [name …]

import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { buildNative } from './build-native.js';
import { buildTypeScript, installDependencies, isMain, isWindows, root } from './run.js';
import { ALL_SERVERS, withServers } from './servers.js';
import { installProject } from './test-projects.js';
import { NEWEST, prepareWindowsNode, runWindowsNode, VERSIONS } from './windows-node.js';

const HEADER = `
SOCKETs of the plain run: on loopback IPv4 those that connect and listen, all others, and those left at its end

                     ends with     conn. listen  other   left`;

/** Every program of test/strangers. */
export const ALL = readdirSync(join(root, 'test/strangers/programs'))
  .filter((file) => file.endsWith('.mjs') && !file.endsWith('.agent.mjs'))
  .map((file) => file.replace('.mjs', ''));

/** Runs some on one Node, and tells which were not the same. */
async function runOn(version, names, { env, binds, atOnce }) {
  const results = join('build', 'strangers', version);
  rmSync(join(root, results), { recursive: true, force: true });
  mkdirSync(join(root, results), { recursive: true });
  await prepareWindowsNode(version);
  const lanes = Array.from({ length: atOnce }, (_, lane) => names.filter((_name, index) => index % atOnce === lane));
  const run = (names) => {
    const args = ['test/strangers/main.mjs', results.replaceAll('\\', '/'), ...names];
    return runWindowsNode(version, args, { env, binds, seconds: 6 * 3600 });
  };
  await Promise.all(lanes.map(run));
  return names.filter((name) => {
    const file = join(root, results, `${name}.txt`);
    const isSame = existsSync(file) && !readFileSync(file, 'utf8').includes('DIFFERENT');
    return !isSame;
  });
}

/** @throws {Error} where one of them is not the same. */
export async function runStrangers(versions, names, { servers = [], atOnce = 2 } = {}) {
  const modules = join(await installProject('strangers', 'win32'), 'node_modules');
  const place = join(root, 'test/strangers/node_modules');
  if (isWindows && !existsSync(place)) symlinkSync(modules, place, 'junction');
  const binds = [[modules, '/checkout/test/strangers/node_modules']];
  const wrong = [];
  const runAll = async (env = {}) => {
    for (const version of versions) {
      console.log(`\nNode ${version}${HEADER}`);
      const different = await runOn(version, names, { env, binds, atOnce });
      wrong.push(...different.map((name) => `${name} on ${version}`));
    }
  };
  // On Windows whoever wants servers starts them.
  await (isWindows || servers.length === 0 ? runAll() : withServers(runAll, servers));
  if (wrong.length > 0) throw new Error(`Not the same: ${wrong.join(', ')}`);
  console.log(`\n${names.length} programs, the same on Node ${versions.join(', ')}`);
}

/** As long as a test may take: a few of different kinds, without a server. */
export async function runAFewStrangers() {
  await runStrangers([NEWEST], ['aedes', 'nock', 'socket.io', 'supertest', 'shutdown']);
}

if (isMain(import.meta.url)) {
  const options = { node: { type: 'string', multiple: true }, 'at-once': { type: 'string' } };
  const { values, positionals } = parseArgs({ allowPositionals: true, options });
  await installDependencies();
  await buildTypeScript();
  // Only Wine needs the recorder.
  if (!isWindows) await buildNative({ check: true });
  await runStrangers(
    values.node ?? (isWindows ? [process.versions.node] : VERSIONS),
    positionals.length > 0 ? positionals : ALL,
    {
      servers: ALL_SERVERS,
      atOnce: Number(values['at-once'] ?? 2),
    },
  );
}
