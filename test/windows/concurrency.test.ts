import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';

const file = fileURLToPath(new URL('../support/concurrency.mjs', import.meta.url));
const wine = process.env.LOOPBACK_TEST_SYSTEM === 'wine';

/** Runs a program of test/support/concurrency.mjs; one that crashes fails. */
async function result(name: string): Promise<unknown> {
  const { stdout } = await promisify(execFile)(process.execPath, [file, name], { timeout: 50_000 });
  return JSON.parse(stdout);
}

const LIMIT = { timeout: 60_000 };

// Starting workers and processes takes its time under Wine.
const major = Number(process.versions.node.split('.')[0]);
const skip = wine && major > 20 && major < 26;

describe.skipIf(skip)('at the same time [under Wine on the oldest and the newest Node]', () => {
  test('16 workers connect while others of them are terminated', LIMIT, async () => {
    expect(await result('workers')).toEqual({ answers: ['ping applied'], errors: [], unhandled: [] });
  });

  test('environments end with armed sockets pending', LIMIT, async () => {
    const codes = [...Array(8).fill(1), ...Array(8).fill(0)];
    expect(await result('teardown')).toEqual({ codes, unhandled: [] });
  });

  test('the addon goes with its last worker, and comes again', LIMIT, async () => {
    const answers = Array(2).fill(wine ? 'WSAEOPNOTSUPP' : 'accepted');
    const round = { answers, loadedAfterwards: false };
    expect(await result('reload')).toEqual({ rounds: Array(2).fill(round), unhandled: [] });
  });

  test('two copies of the package arm one socket: one ioctl, and traffic flows', LIMIT, async () => {
    expect(await result('copies')).toEqual({
      echoed: 'ping',
      both: ['applied', 'applied'],
      // Only the recorder counts them.
      ...(wine ? { ioctls: 1 } : {}),
      afterDisable: ['off', 'applied'],
      unhandled: [],
    });
  });

  test('workers of a cluster are killed under load: the others go on', LIMIT, async () => {
    expect(await result('cluster')).toEqual({
      states: ['applied'],
      echoed: true,
      echoedAtTheEnd: true,
      unhandled: [],
    });
  });
});
