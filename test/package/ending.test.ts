// `npm test` that is ended leaves nothing behind.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { root } from '../../tools/run.js';
import { temporaryFolder } from '../support/package.js';

const ENDLESS = join(root, 'test/support/endless.mjs');

interface Process {
  pid: number;
  parent: number;
  name: string;
}

/** The processes that are alive. */
function processes(): Process[] {
  return readdirSync('/proc').flatMap((pid) => {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      const [, name = '', state = '', parent = ''] = /^\d+ \((.*)\) (.) (\d+)/s.exec(stat) ?? [];
      return /^\d+$/.test(pid) && state !== 'Z' ? [{ pid: Number(pid), parent: Number(parent), name }] : [];
    } catch {
      // It has just ended.
      return [];
    }
  });
}

/** Those that a process started, they started, and so on. */
function descendants(pid: number, all = processes()): Process[] {
  return all.filter(({ parent }) => parent === pid).flatMap((child) => [child, ...descendants(child.pid, all)]);
}

async function until(condition: () => boolean, seconds: number): Promise<void> {
  for (const end = Date.now() + seconds * 1000; !condition() && Date.now() < end; ) await sleep(50);
}

const scratch = temporaryFolder();

test.each(['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGKILL'] as const)(
  'npm gets %s: all that it started ends',
  async (signal) => {
    const folder = join(scratch, signal);
    mkdirSync(folder);
    const up = JSON.stringify(join(folder, 'up'));
    const program = `import { writeFileSync } from 'node:fs'; test('', () => { writeFileSync(${up}, ''); return new Promise(() => {}); }, 1e8);`;
    writeFileSync(join(folder, 'endless.test.mjs'), program);
    writeFileSync(join(folder, 'package.json'), JSON.stringify({ scripts: { test: `node "${ENDLESS}"` } }));

    const npm = spawn('npm', ['test'], { cwd: folder, stdio: 'ignore', detached: true });
    const ended = once(npm, 'exit');
    onTestFinished(() => void npm.kill());
    const pid = npm.pid ?? 0;
    const names = () => descendants(pid).map(({ name }) => name);
    await until(() => existsSync(join(folder, 'up')) && names().includes('wineserver64'), 60);
    expect(existsSync(join(folder, 'up'))).toBe(true);
    expect(names()).toEqual(expect.arrayContaining(['wineserver64', 'sleep']));
    const started = descendants(pid);

    // From a terminal Ctrl-C goes to all of them.
    process.kill(signal === 'SIGINT' ? -pid : pid, signal);
    await ended;
    const left = () => processes().filter(({ pid }) => started.some((each) => each.pid === pid));
    await until(() => left().length === 0, 15);
    expect(left()).toEqual([]);
  },
);
