import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import * as net from 'node:net';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { BenchResult } from '../../dist/cli/bench/bench.js';
import { startTwin, TwinMeter } from '../../dist/cli/bench/native-twin.js';
import { ACCEPTING, cli, cliFile, onWine } from '../support/cli.js';
import { listening } from '../support/sockets.js';

const root = new URL('../../', import.meta.url);

test('where the ioctl is accepted, both ends, one end and the C++ twin are measured', { timeout: 60_000 }, async () => {
  const { code, stdout, stderr } = await cli(['bench', '--quick', '--seconds', '1', '--json', '--native'], ACCEPTING);
  expect({ code, stderr: stderr.replace(/^\d\/8 .*\r?\n/gm, '') }).toEqual({ code: 0, stderr: '' });
  const result = JSON.parse(stdout) as BenchResult;
  const ids = ['tcp4', 'tcp4-fast', 'tcp4-fast-client', 'tcp6', 'pipe', 'native-tcp4'];
  expect(result.paths.map(({ id }) => id)).toEqual(expect.arrayContaining(ids));
  expect(result.shapes).toHaveLength(8);
  for (const { kind, measured } of result.shapes) {
    for (const { speed, failure } of measured) expect({ failure, ok: (speed ?? 0) > 0 }).toEqual({ ok: true });
    expect(measured.some(({ path }) => path === 'native-tcp4')).toBe(kind !== 'connects');
  }
  // The twin is a program of its own, which no recorder answers: the system does.
  if (onWine) {
    expect(result.leftOut).toMatchObject([
      { id: 'native-tcp4-fast', reason: 'the system refused the ioctl: error 10045' },
    ]);
  }
  expect(result.system.wine).toBe(onWine);
});

test('what goes to a file is ASCII, and says the same', { timeout: 60_000 }, async () => {
  const { stdout } = await cli(['bench', '--quick', '--seconds', '0.5']);
  expect(stdout).toMatch(/#+ .*\d\.\d\dx|# .*too few rounds/);
  expect(stdout).not.toMatch(/[█×µ–…]/);
});

describe('the C++ twin', () => {
  const SHAPE = { kind: 'round-trip', bytes: 64, connections: 1 } as const;

  /** A meter of a twin whose other end takes connections and never says a word. */
  async function silentMeter() {
    const places = ['build/x64/Release/', 'bench/native/build/Release/'];
    const files = places.map((place) => fileURLToPath(new URL(`${place}loopback-twin.exe`, root)));
    const twin = await startTwin(files.find(existsSync) ?? 'not built', 'measure');
    onTestFinished(() => {
      twin.kill();
    });
    return { twin, meter: new TwinMeter(twin, await listening(net.createServer()), false) };
  }

  test('that stands still is given up, and ended', async () => {
    const { twin, meter } = await silentMeter();
    await expect(meter.measure(SHAPE, 10, new AbortController().signal)).rejects.toThrow('no progress for 5 s');
    await expect.poll(() => twin.exitCode ?? twin.signalCode).not.toBe(null);
    // What it would have said later is not taken for an answer.
    await expect(meter.measure(SHAPE, 10, new AbortController().signal)).rejects.toThrow('The twin ended.');
  });

  test('ends when all is ended', async () => {
    const { meter } = await silentMeter();
    const abort = new AbortController();
    setTimeout(() => abort.abort(new Error('enough')), 100);
    await expect(meter.measure(SHAPE, 10, abort.signal)).rejects.toThrow('enough');
  });
});

// Whoever is asked to press Ctrl-C has a console of its own, shared by what it starts.
const PRESS = `
  const { spawn } = require('node:child_process');
  const recorder = require('./test/support/recorder-binding.cjs');
  process.on('SIGINT', () => {});
  const child = spawn(process.execPath, process.argv.slice(1), { stdio: ['ignore', 'inherit', 'pipe'] });
  let pressed = false;
  child.stderr.on('data', (data) => {
    if (pressed || !String(data).includes('2/14')) return;
    pressed = true;
    setTimeout(() => recorder.pressCtrlC(), 300);
  });
  child.on('exit', (code) => process.exitCode = code ?? 99);
`;

test('Ctrl-C in a console reaches every process, and is no failure', { timeout: 60_000 }, async () => {
  const args = ['--eval', PRESS, '--', cliFile, 'bench', '--seconds', '20', '--native', '--json'];
  const child = spawn(process.execPath, args, {
    cwd: fileURLToPath(root),
    stdio: ['ignore', 'pipe', 'pipe'],
    // With no stream of this process, that is a console without a window.
    windowsHide: true,
  });
  const closed = new Promise<number | null>((resolve) => child.on('close', resolve));
  const [out, err] = await Promise.all([child.stdout, child.stderr].map((stream) => stream.toArray()));
  expect({ code: await closed, err: err?.join('') }).toEqual({ code: 130, err: '' });
  const result = JSON.parse(out?.join('') ?? '') as BenchResult;
  expect(result.interrupted).toBe(true);
  expect(result.shapes.length).toBeGreaterThan(0);
  expect(result.shapes.length).toBeLessThan(4);
  for (const { measured } of result.shapes) {
    expect(measured.map(({ path }) => path)).toContain('native-tcp4');
    for (const { failure } of measured) expect(failure).toBe(undefined);
  }
});
