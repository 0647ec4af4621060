// That the Wine of test/winsock/accepting-wine.js answers as the statements of docs/platform.md
// have it: what is tested on it is worth as much.

import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { root } from '../../tools/run.js';
import { NEWEST, runUnderWine, runWindowsNode } from '../../tools/windows-node.js';
import { onAcceptingWine } from '../winsock/accepting-wine.js';

const [WSAEFAULT, WSAEINVAL, WSAENOTSOCK, WSAEOPNOTSUPP] = [10014, 10022, 10038, 10045];

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

/** Every answer is a line of it, whichever process asked. */
const log = join(root, 'build/winsock.log');
const env = { LOOPBACK_TEST_WINSOCK_LOG: 'Z:\\checkout\\build\\winsock.log' };

function logged(program: string): { process: number; error: number }[] {
  const lines = readFileSync(log, 'utf8').split('\n').filter(Boolean);
  return lines.map((line) => JSON.parse(line)).filter((line) => line.program === program);
}

describe('asked by a program', async () => {
  rmSync(log, { force: true });
  const ask = 'wine build/x64/Release/ask.exe > build/winsock-answers.txt';
  await runUnderWine(onAcceptingWine(['sh', '-c', ask]), { env, seconds: 60 });
  const printed = readFileSync(join(root, 'build/winsock-answers.txt'), 'utf8');
  const answers = Object.fromEntries(
    [...printed.matchAll(/^(.+): (\d+)$/gm)].map(([, what, error]) => [what, Number(error)]),
  );
  const errors = logged('ask.exe').map(({ error }) => error);

  test.each(Object.entries(ANSWERS))('%s: %i', (what, error) => expect(answers[what]).toBe(error));
  test('has every export', () => expect(answers['exports that are missing']).toBe(0));
  test('every answer is in its log', () => expect(errors).toEqual(Object.values(ANSWERS)));
});

test('the demo: its server and both clients ask, and all is accepted', async () => {
  rmSync(log, { force: true });
  const code = await runWindowsNode(NEWEST, ['demo/main.js'], { accepting: true, env, quiet: true, seconds: 120 });
  expect(code).toBe(0);
  // And the one that only asks whether it is there.
  expect(new Set(logged('node.exe').map(({ process }) => process)).size).toBe(4);
  expect(logged('node.exe').filter(({ error }) => error !== 0)).toEqual([]);
});
