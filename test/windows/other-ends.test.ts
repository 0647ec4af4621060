import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import * as net from 'node:net';
import { fileURLToPath } from 'node:url';
import { getLoopbackFastPathStatus, tryEnableLoopbackFastPath } from 'loopback-fast-path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { onWine } from '../support/cli.js';
import { closing, exchange, listening } from '../support/sockets.js';

// The program of docs/other-ends.md against an armed Node, both on what the system
// answers: nothing is recorded or made up here.

/** Where CMake's neighbours and node-gyp leave it. */
function programOf(language: string): string {
  const places = ['build/x64/Release/', 'test/other-ends/build/Release/'];
  const files = places.map((place) =>
    fileURLToPath(new URL(`../../${place}other-end-${language}.exe`, import.meta.url)),
  );
  const file = files.find(existsSync);
  if (file === undefined) throw new Error(`npm run build:native makes it; not found: ${files.join(', ')}`);
  return file;
}

function start(language: string, ...args: string[]) {
  const child = spawn(programOf(language), args, { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => {
    child.kill();
  });
  let printed = '';
  child.stdout.setEncoding('utf8').on('data', (text) => {
    printed += text;
  });
  const closed = once(child, 'close');
  return { child, closed, printed: () => printed.replaceAll('\r', '') };
}

/** What both ends are told. Windows accepts; a Wine that does not know the ioctl says so to both alike. */
function told(printed: string, state: string): void {
  expect(printed).toMatch(
    state === 'applied' ? /^fast path: accepted\n/ : /^fast path: error 10045, the ordinary path\n/,
  );
  if (!onWine) expect(state).toBe('applied');
}

describe.each([
  ['C', 'c'],
  ['C++', 'cpp'],
])('the other end in %s', (_name, language) => {
  test('connects to an armed server of Node', async () => {
    const server = net.createServer({ allowHalfOpen: true }, (socket) => socket.pipe(socket));
    tryEnableLoopbackFastPath(server);
    const port = await listening(server);
    const { closed, printed } = start(language, 'connect', String(port));
    expect(await closed).toEqual([0, null]);
    const { state } = getLoopbackFastPathStatus(server);
    told(printed(), state);
    expect(printed()).toContain('received: hello\n');
  });

  test('is connected to by an armed client of Node', async () => {
    const { closed, printed } = start(language, 'listen');
    await expect.poll(printed).toMatch(/port: \d+\n/);
    const [, port] = /port: (\d+)/.exec(printed()) ?? [];
    const client = closing(net.connect(Number(port), '127.0.0.1'));
    tryEnableLoopbackFastPath(client);
    await once(client, 'connect');
    expect(await exchange(client, 'there and back')).toBe('there and back');
    const { state } = getLoopbackFastPathStatus(client);
    client.end();
    expect(await closed).toEqual([0, null]);
    told(printed(), state);
    expect(printed()).toContain('received: there and back\n');
  });
});
