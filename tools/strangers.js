// `npm run strangers`: programs that nobody here wrote, plain and armed, on Windows
// Node and with real servers beside them; sets up what they need.
//
//   npm run strangers -- [--node 26.10.0] [--at-once N] [name …]

import { existsSync, readdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { buildNative } from './build-native.js';
import { buildTypeScript, installDependencies, isMain, isWindows, root } from './run.js';
import { ALL_SERVERS, withServers } from './servers.js';
import { installProject } from './test-projects.js';
import { NEWEST, runWindowsNode, VERSIONS } from './windows-node.js';

const HEADER = `
SOCKETs of the plain run: on loopback IPv4 those that connect and listen, all others, and those left at its end

                     ends with     conn. listen  other   left`;

/** Every program of test/strangers. */
export const ALL = readdirSync(join(root, 'test/strangers/programs'))
  .filter((file) => file.endsWith('.mjs') && !file.endsWith('.agent.mjs'))
  .map((file) => file.replace('.mjs', ''));

/**
 * Each program in a Wine of its own: some are more than Wine bears.
 *
 * @throws {Error} where one of them is not the same.
 */
export async function runStrangers(versions, names, { servers = [], atOnce = 2 } = {}) {
  const modules = join(await installProject('strangers', 'win32'), 'node_modules');
  const place = join(root, 'test/strangers/node_modules');
  if (isWindows && !existsSync(place)) symlinkSync(modules, place, 'junction');
  const binds = [[modules, '/checkout/test/strangers/node_modules']];
  const wrong = [];
  const runAll = async (env = {}) => {
    for (const version of versions) {
      console.log(`\nNode ${version}${HEADER}`);
      const waiting = [...names];
      const lane = async () => {
        for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
          const code = await runWindowsNode(version, ['test/strangers/main.mjs', name], { env, binds, seconds: 900 });
          if (code !== 0) wrong.push(`${name} on ${version}`);
        }
      };
      await Promise.all(Array.from({ length: atOnce }, lane));
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
  await runStrangers(values.node ?? (isWindows ? [process.versions.node] : VERSIONS), positionals.length > 0 ? positionals : ALL, {
    servers: ALL_SERVERS,
    atOnce: Number(values['at-once'] ?? 2),
  });
}
