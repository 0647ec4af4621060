import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { root, runFile } from '../support/programs.js';

const ARMED_CONNECT = ['bind 0.0.0.0', 'fast path on', 'ConnectEx 127.0.0.1'];
const ARMED_LISTEN = ['bind 127.0.0.1', 'fast path on', 'listen'];

describe('a server in a worker is enabled', () => {
  const program = join(root, 'test/support/cluster.mjs');

  async function run(policy: string, listen: object, fastPath: object, how = ''): Promise<unknown> {
    const args = [JSON.stringify(listen), JSON.stringify(fastPath), how];
    const primary = fork(program, args, { env: { ...process.env, NODE_CLUSTER_SCHED_POLICY: policy } });
    onTestFinished(() => {
      primary.kill();
    });
    const [result] = await once(primary, 'message');
    await once(primary, 'exit');
    return result;
  }

  test.each([
    ['SCHED_NONE', 'none', {}, { state: 'applied' }],
    ['SCHED_RR', 'rr', {}, { state: 'skipped', reason: 'cluster' }],
    ['SCHED_RR with exclusive', 'rr', { exclusive: true }, { state: 'applied' }],
  ])('%s', async (_name, policy, options, expected) => {
    expect(await run(policy, options, {})).toMatchObject({ status: expected, echoed: 'ping' });
  });

  test('SCHED_NONE, in a context of the worker alone: the SOCKET of the primary is left alone', async () => {
    expect(await run('none', {}, {}, 'context')).toMatchObject({
      status: { state: 'skipped', reason: 'cluster' },
      echoed: 'ping',
    });
  });

  test.each([
    ['SCHED_RR', 'rr', ''],
    ['SCHED_NONE, in a context of the worker alone', 'none', 'context'],
  ])('%s, and required: it does not listen, and the error says what to do', async (_name, policy, how) => {
    expect(await run(policy, {}, { required: true }, how)).toEqual({
      code: 'ERR_LOOPBACK_FAST_PATH_SKIPPED',
      message:
        'The loopback fast path is required, but the socket was left alone: cluster. Listen with exclusive: true, or use the scheduling policy SCHED_NONE.',
      listening: false,
      status: { state: 'skipped', reason: 'cluster' },
    });
  });
});

/** Primary and worker, or parent and child, have both modules preloaded. */
function share(how: string, options: object, env: NodeJS.ProcessEnv = {}) {
  return runFile(join(root, 'test/support/shared-listener.mjs'), {
    args: [how, JSON.stringify(options)],
    env: {
      NODE_OPTIONS: '-r ./test/support/recorded.cjs -r loopback-fast-path/register',
      LOOPBACK_FAST_PATH: 'trace',
      ...env,
    },
    record: false,
  });
}

describe('registered, a listener is armed before it listens (B4)', () => {
  test.each([
    ['SCHED_NONE, by the primary', 'none', {}],
    ['SCHED_RR, by the primary', 'rr', {}],
    ['SCHED_NONE with exclusive, by the worker', 'none', { exclusive: true }],
    ['SCHED_RR with exclusive, by the worker', 'rr', { exclusive: true }],
  ])('%s, and once', async (_name, policy, options) => {
    const outcome = await share('cluster', options, { NODE_CLUSTER_SCHED_POLICY: policy });
    expect(outcome).toMatchObject({ code: 0, stdout: 'ping\n' });
    expect(outcome.connects).toEqual([ARMED_CONNECT]);
    expect(outcome.listens.filter((story) => story.includes('bind 127.0.0.1'))).toEqual([ARMED_LISTEN]);
    expect(outcome.stderr.match(/server .*applied/g)).toHaveLength(1);
  });

  test('sent to another process, by the sender', async () => {
    const outcome = await share('send parent', {});
    expect(outcome).toMatchObject({ code: 0, stdout: 'ping\n' });
    expect(outcome.connects).toEqual([ARMED_CONNECT]);
    expect(outcome.listens).toEqual([ARMED_LISTEN]);
  });
});
