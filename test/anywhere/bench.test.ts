import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import * as net from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import type { BenchResult } from '../../dist/cli/bench/bench.js';
import { htmlReport } from '../../dist/cli/bench/html-report.js';
import { NodeMeter } from '../../dist/cli/bench/measure.js';
import { ordersOf } from '../../dist/cli/bench/plan.js';
import { seededRandom } from '../../dist/cli/bench/statistics.js';
import { textReport } from '../../dist/cli/bench/text-report.js';
import { paintFor } from '../../dist/cli/paint.js';
import { inventedResult } from '../support/bench-result.mjs';
import { cli, onWine } from '../support/cli.js';
import { scratchFolder } from '../support/scratch.js';
import { listening } from '../support/sockets.js';

const peerFile = fileURLToPath(new URL('../../dist/cli/bench/peer.js', import.meta.url));
const LONG = { timeout: 60_000 };

test('measures every shape on this system, within its time', LONG, async () => {
  const file = join(scratchFolder(), 'page.html');
  const { code, stdout, stderr } = await cli(['bench', '--quick', '--seconds', '1', '--json', '--html', file]);
  expect(code).toBe(0);
  // Progress, for each shape.
  expect(stderr.trimEnd().split('\n')).toHaveLength(8);
  const result = JSON.parse(stdout) as BenchResult;
  expect(result).toMatchObject({ interrupted: false, system: { wine: onWine, node: process.version } });
  expect(result.seconds).toBeLessThan(15);
  const ids = result.paths.map(({ id }) => id);
  expect(ids).toEqual(expect.arrayContaining(['tcp4', 'pipe']));
  for (const { id, reason } of result.leftOut) {
    expect(id).toMatch(/fast|tcp6/);
    if (process.platform !== 'win32') expect(reason).toMatch(/exists on Windows only|::1/);
    else if (onWine) expect(reason).toContain('WSAEOPNOTSUPP');
  }
  expect(result.shapes).toHaveLength(8);
  for (const shape of result.shapes) {
    expect(shape.measured.map(({ path }) => path)).toEqual(ids);
    for (const { failure, speed, speeds, latency } of shape.measured) {
      expect(failure).toBe(undefined);
      expect(speed).toBeGreaterThan(0);
      expect(speeds.every((each) => each !== null && each > 0)).toBe(true);
      if (shape.kind !== 'round-trip') continue;
      expect(latency?.samples).toBeGreaterThanOrEqual(speeds.length * shape.connections);
      expect(latency?.p50).toBeLessThanOrEqual(latency?.p999 ?? 0);
    }
    expect(shape.comparisons.map(({ path }) => path)).toEqual(ids.filter((id) => id !== 'tcp4'));
  }
  expect(readFileSync(file, 'utf8').includes('Wine')).toBe(onWine);
});

test('over two rounds each path is as often before as after each other, in an order by chance', () => {
  const paths = ['a', 'b', 'c', 'd', 'e'];
  const random = seededRandom(1);
  const firsts = new Set<string | undefined>();
  for (let i = 0; i < 50; ++i) {
    const [one, other] = ordersOf(paths, random);
    expect(one.toSorted()).toEqual(paths);
    expect(other).toEqual(one.toReversed());
    firsts.add(one[0]);
  }
  expect(firsts.size).toBe(5);
});

describe('a slice', () => {
  const SHAPE = { kind: 'round-trip', bytes: 64, connections: 2 } as const;
  const slice = async (server: net.Server, signal = new AbortController().signal) =>
    new NodeMeter({ port: await listening(server), host: '127.0.0.1' }, false).measure(SHAPE, 10, signal);

  test('that stands still is given up', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout'] });
    onTestFinished(() => {
      vi.useRealTimers();
    });
    const server = net.createServer();
    const measured = slice(server);
    measured.catch(() => {});
    await once(server, 'connection');
    vi.advanceTimersByTime(5000);
    await expect(measured).rejects.toThrow('no progress for 5 s');
  });

  test('whose connections break is given up', async () => {
    await expect(slice(net.createServer((socket) => socket.destroy()))).rejects.toThrow(/closed|ECONN/);
  });

  test('ends when all is ended, and closes what it opened', async () => {
    const abort = new AbortController();
    const server = net.createServer((socket) => {
      socket.on('error', () => {});
      abort.abort(new Error('enough'));
    });
    await expect(slice(server, abort.signal)).rejects.toThrow('enough');
    const connections = () => new Promise((resolve) => server.getConnections((_error, count) => resolve(count)));
    await expect.poll(connections).toBe(0);
  });
});

/** Whether somebody listens there. */
async function isServed(port: number): Promise<boolean> {
  const socket = net.connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

describe('the other process', () => {
  test('answers what the header asks for, however it is cut', async () => {
    const child = fork(peerFile, ['tcp4', 'pipe']);
    const [addresses] = await once(child, 'message');
    for (const address of [addresses.tcp4, addresses.pipe]) {
      const socket = net.connect(address);
      const head = Buffer.alloc(16);
      head.writeUInt32LE(10, 0);
      head.writeUInt32LE(3, 8);
      let received = 0;
      socket.on('data', (data) => {
        received += data.length;
      });
      for (const part of [head.subarray(0, 5), head.subarray(5), Buffer.alloc(9), Buffer.alloc(12)]) {
        socket.write(part);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      // A byte for the header, and two responses: 21 bytes were two requests and one more byte.
      await expect.poll(() => received).toBe(1 + 2 * 3);
      socket.destroy();
    }
    child.disconnect();
    expect(await once(child, 'exit')).toEqual([0, null]);
  });

  test('ends with the process that started it, even if that was killed', async () => {
    const program = `
      require('node:child_process').fork(${JSON.stringify(peerFile)}, ['tcp4'])
        .on('message', ({ tcp4 }) => process.send(tcp4.port));`;
    const parent = spawn(process.execPath, ['--eval', program], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    const [port] = (await once(parent, 'message')) as [number];
    expect(await isServed(port)).toBe(true);
    parent.kill('SIGKILL');
    await expect.poll(() => isServed(port), { timeout: 10_000 }).toBe(false);
  });
});

describe('a report', () => {
  const reports = {
    text: (result: BenchResult) => textReport(result, paintFor(process.stdout)),
    page: htmlReport,
    json: (result: BenchResult) => JSON.stringify(result),
  };

  test.each(Object.entries(reports))('as %s says Wine where it was Wine, and only there', (_name, report) => {
    expect(report(inventedResult({ wine: true }) as BenchResult)).toContain('Wine');
    expect(report(inventedResult() as BenchResult)).not.toContain('Wine');
  });

  test('shows figures, intervals, verdicts, failures and what was left out', () => {
    const text = reports.text(inventedResult({ interrupted: true }) as BenchResult);
    expect(text).toContain('Ended early');
    expect(text).toMatch(/TCP IPv4, fast path +\d.* 1\.60× \(1\.48 to 1\.73\) +faster/);
    expect(text).toMatch(/TCP IPv6 +invented <i>failure<\/i>/);
    expect(text).toContain('then failed: no progress for 5 s');
    expect(text).toContain('Left out: C++, TCP IPv4. invented <b>reason</b>');
    expect(text).toContain('TCP IPv6: slower in 13, too few rounds in 1 of 14 shapes');
  });

  test('says how far Node is from the limit', () => {
    const result = inventedResult() as BenchResult;
    const [first, ...others] = result.shapes;
    const comparison = {
      ...{ path: 'tcp4-fast', baseline: 'native-tcp4-fast', verdict: 'slower' },
      ...{ ratio: 0.8, low: 0.7, high: 0.9 },
    } as const;
    const shapes = [{ ...first, comparisons: [comparison] } as (typeof others)[number], ...others];
    expect(reports.text({ ...result, shapes })).toContain(
      'TCP IPv4, fast path reaches 0.80× (0.70 to 0.90) of C++, TCP IPv4, fast path: round trip of 64 B, 1 connection',
    );
  });

  test('has colours on a terminal, and none with NO_COLOR', () => {
    const terminal = { isTTY: true, hasColors: () => true } as NodeJS.WriteStream;
    const plain = { isTTY: true, hasColors: () => false } as NodeJS.WriteStream;
    const result = inventedResult() as BenchResult;
    expect(textReport(result, paintFor(terminal))).toContain('\x1b[32m');
    expect(textReport(result, paintFor(plain))).not.toContain('\x1b');
  });

  test('as a page is one file without script, and text stays text', () => {
    const page = htmlReport(inventedResult() as BenchResult);
    expect(page).not.toMatch(/<script|<b>|<i>|src=|url\(|@import|https?:/);
    expect(page).toContain('&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt;');
  });
});
