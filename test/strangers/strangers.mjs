// `npm run strangers`: programs that nobody here wrote (test/strangers), and the test
// suites that libraries bring along (test/suites), plain and armed, on Windows Node and
// with real servers beside them; sets up what they need.
//
//   npm run strangers -- [--node 26.10.0] [--at-once N] [--resume] [name …]
//
// With --resume it goes on where the last run on that Node was ended.

import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { buildNative } from '../../tools/build-native.js';
import { WINE_CRASHED } from '../../tools/debian.js';
import { buildTypeScript, installDependencies, isMain, isWindows, root } from '../../tools/run.js';
import { ALL_SERVERS, withServers } from '../../tools/servers.js';
import { installProject, isProjectInstalled } from '../../tools/test-projects.js';
import { NEWEST, prepareWindowsNode, runWindowsNode, VERSIONS } from '../../tools/windows-node.js';

export const PROGRAMS = {
  folder: 'strangers',
  names: readdirSync(join(root, 'test/strangers/programs'))
    .filter((file) => file.endsWith('.mjs') && !file.endsWith('.agent.mjs'))
    .map((file) => file.replace('.mjs', '')),
  header: `
SOCKETs of the plain run: on loopback IPv4 those that connect and listen, all others, and those left at its end

                     ends with     conn. listen  other   left`,
};

// Those whose packages have their tests, and whose tests connect on IPv4.
export const SUITES = {
  folder: 'suites',
  names: [
    ...['fastify', '@fastify/reply-from', '@fastify/express', '@fastify/http-proxy'],
    ...['@fastify/websocket', 'pino-socket'],
  ],
  header: `
Tests of the plain run, and SOCKETs that had the ioctl in the armed one

                        files  passed  failed skipped SOCKETs`,
};

/** Runs some on one Node, and tells which were not shown to be the same. */
async function runOn(version, { folder, header, names }, { env, atOnce, resume }) {
  const modules = join(await installProject(folder, 'win32'), 'node_modules');
  const place = join(root, 'test', folder, 'node_modules');
  if (isWindows && !existsSync(place)) symlinkSync(modules, place, 'junction');
  await prepareWindowsNode(version);
  const results = `build/${folder}/${version}`;
  if (!resume) rmSync(join(root, results), { recursive: true, force: true });
  mkdirSync(join(root, results), { recursive: true });
  // What was being run when the last run was ended did not crash.
  const begun = readdirSync(join(root, results), { recursive: true }).filter((file) => file.endsWith('.begun'));
  for (const file of begun) rmSync(join(root, results, file));
  console.log(`\nNode ${version}${header}`);
  const lanes = Array.from({ length: atOnce }, (_, lane) => names.filter((_name, index) => index % atOnce === lane));
  const options = { env, binds: [[modules, `/checkout/test/${folder}/node_modules`]], seconds: 6 * 3600 };
  const run = async (names) => {
    // Where Wine's own server crashes it goes on with the next, in the end.
    for (let code = WINE_CRASHED; code === WINE_CRASHED; ) {
      code = await runWindowsNode(version, [`test/${folder}/main.mjs`, results, ...names], options);
    }
  };
  await Promise.all(lanes.filter((names) => names.length > 0).map(run));
  const found = names.map((name) => {
    const file = join(root, results, `${name.replace('/', '-')}.txt`);
    return { name, said: existsSync(file) ? readFileSync(file, 'utf8') : 'not ended' };
  });
  const notRun = found.filter(({ said }) => said.includes('not run: '));
  const different = found.filter(({ said }) => said.includes('DIFFERENT') || said === 'not ended');
  console.log(`${names.length - notRun.length - different.length} of ${names.length} as the plain ones on ${version}`);
  for (const { name, said } of notRun) console.log(`  ${name}: ${/not run: .*/.exec(said)[0]}`);
  // Where none was run, nothing is shown.
  return notRun.length === names.length ? names : different.map(({ name }) => name);
}

/** @throws {Error} where one of them is not shown to be the same. */
export async function runStrangers(versions, groups, { servers = [], atOnce = 2, resume = false } = {}) {
  const wrong = [];
  const runAll = async (env = {}) => {
    for (const version of versions) {
      for (const group of groups) {
        const different = await runOn(version, group, { env, atOnce, resume });
        wrong.push(...different.map((name) => `${name} on ${version}`));
      }
    }
  };
  // On Windows whoever wants servers starts them.
  await (isWindows || servers.length === 0 ? runAll() : withServers(runAll, servers));
  if (wrong.length > 0) throw new Error(`Not shown to be the same: ${wrong.join(', ')}`);
}

/** As long as a test may take: a few of different kinds, without a server, where their packages are in the cache. */
export async function runAFewStrangers() {
  if (isProjectInstalled('strangers', 'win32')) {
    await runStrangers([NEWEST], [{ ...PROGRAMS, names: ['aedes', 'supertest', 'trpc', 'socket.io', 'undici-mock'] }]);
  } else console.log('Not run: npm run strangers sets them up (570 MB, once)');
}

if (isMain(import.meta.url)) {
  const options = {
    node: { type: 'string', multiple: true },
    'at-once': { type: 'string', default: '2' },
    resume: { type: 'boolean' },
  };
  const { values, positionals } = parseArgs({ allowPositionals: true, options });
  const unknown = positionals.filter((name) => ![PROGRAMS, SUITES].some(({ names }) => names.includes(name)));
  if (unknown.length > 0) throw new Error(`Nothing is called ${unknown.join(', ')}.`);
  const wanted = [PROGRAMS, SUITES]
    .map((group) => ({
      ...group,
      names: group.names.filter((name) => positionals.length === 0 || positionals.includes(name)),
    }))
    .filter(({ names }) => names.length > 0);
  await installDependencies();
  await buildTypeScript();
  // Only Wine needs the recorder.
  if (!isWindows) await buildNative({ check: true });
  await runStrangers(values.node ?? (isWindows ? [process.versions.node] : VERSIONS), wanted, {
    // The suites bring their own.
    servers: wanted.some(({ folder }) => folder === PROGRAMS.folder) ? ALL_SERVERS : [],
    atOnce: Number(values['at-once']),
    resume: values.resume,
  });
}
