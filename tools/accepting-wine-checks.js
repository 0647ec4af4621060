// That the Wine of accepting-wine.js answers as the statements of docs/platform.md
// have it: what is tested on it is worth as much.

import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { onAcceptingWine } from './accepting-wine.js';
import { root } from './run.js';
import { runInside } from './trixie.js';
import { NEWEST, runWindowsNode } from './windows-node.js';

const WSAEFAULT = 10014;
const WSAEINVAL = 10022;
const WSAENOTSOCK = 10038;
const WSAEOPNOTSUPP = 10045;

/** What test/winsock/ask.cc must be told, by the statements of docs/platform.md. */
const ANSWERS = {
  'new, on': 0,
  'new, off': 0,
  bound: 0,
  listening: 0,
  'connected, on': WSAEINVAL,
  'connected, off': WSAEINVAL,
  accepted: WSAEINVAL,
  IPv6: 0,
  'no count': WSAEFAULT,
  'no input': WSAEINVAL,
  'an output': WSAEINVAL,
  UDP: WSAEOPNOTSUPP,
  closed: WSAENOTSOCK,
  'its number again': 0,
};

const EXPORTS = 'exports that are missing';

/** Every answer is a line of it, whichever process asked. */
const LOG = 'build/winsock.log';

/** @returns {Promise<{ name: string, ok: boolean }[]>} */
export async function checkAcceptingWine() {
  const log = join(root, LOG);
  const env = { LOOPBACK_TEST_WINSOCK_LOG: `Z:\\checkout\\${LOG.replace('/', '\\')}` };
  const checks = [];
  const check = (name, expected, found) => {
    const ok = JSON.stringify(expected) === JSON.stringify(found);
    checks.push({ name, ok });
    if (!ok) console.log(`${name}: ${JSON.stringify(found)}, not ${JSON.stringify(expected)}`);
  };
  const logged = () =>
    readFileSync(log, 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line));

  rmSync(log, { force: true });
  const ask = 'wine build/x64/Release/ask.exe > build/winsock-answers.txt';
  await runInside(onAcceptingWine(['sh', '-c', ask]), { env, seconds: 60 });
  const printed = readFileSync(join(root, 'build/winsock-answers.txt'), 'utf8');
  const answers = Object.fromEntries(
    [...printed.matchAll(/^(.+): (\d+)$/gm)].map(([, what, error]) => [what, Number(error)]),
  );
  for (const [what, error] of Object.entries(ANSWERS)) check(`the accepting Wine, ${what}`, error, answers[what]);
  check('the accepting Wine has every export', 0, answers[EXPORTS]);
  const errors = (program) => logged().flatMap((line) => (line.program === program ? [line.error] : []));
  check('the log of the accepting Wine has every answer', Object.values(ANSWERS), errors('ask.exe'));

  rmSync(log, { force: true });
  const code = await runWindowsNode(NEWEST, ['demo/main.js'], { accepting: true, env, quiet: true, seconds: 120 });
  const processes = new Set(logged().map((line) => line.process));
  // Not the one that only asks whether it is there, but its server and both clients.
  check('the demo on the accepting Wine', 0, code);
  check('every process of the demo asked', 4, processes.size);
  check('all that the demo asked for was accepted', [0], [...new Set(errors('node.exe'))]);
  return checks;
}
