import { once } from 'node:events';
import * as net from 'node:net';
import { enableLoopbackFastPath, getLoopbackFastPathStatus, type LoopbackFastPathOptions } from 'loopback-fast-path';
import { afterEach, describe, expect, test } from 'vitest';
import { answer, connectStories, fastPathCalls, listenStories, take, useRecorder } from '../support/recorder.js';
import { closing, echo, exchange, failure, listening } from '../support/sockets.js';

useRecorder();

/**
 * libuv clears IPV6_V6ONLY on a socket that it binds to ::1, and Windows keeps
 * it so. Wine sets it again at bind; there the recorder says what Windows would.
 */
function keepDualStack(): void {
  answer(0, 0, 'getsockopt');
}

const IPPROTO_IPV6 = 41;
const IPV6_V6ONLY = 27;

/** The last value that IPV6_V6ONLY was set to, for the SOCKET of the fast path or of ConnectEx. */
function ipv6Only(calls: ReturnType<typeof take>): boolean {
  const { socket } = calls.findLast((call) => call.call === 'ConnectEx' || call.call === 'listen') ?? {};
  const set = calls.findLast(
    (call) =>
      call.call === 'setsockopt' && call.socket === socket && call.level === IPPROTO_IPV6 && call.code === IPV6_V6ONLY,
  );
  return set?.value === 1;
}

describe('a client to ::1', () => {
  async function connect(options: LoopbackFastPathOptions | undefined, host = '::1', more: object = {}) {
    const port = await echo(0, '::');
    take();
    const socket = closing(net.connect({ port, host, ...more }));
    enableLoopbackFastPath(socket, options);
    await once(socket, 'connect');
    expect(await exchange(socket)).toBe('ping');
    return { status: getLoopbackFastPathStatus(socket), calls: take() };
  }

  test.each([undefined, {}, { ipv6: false }, { ipv6: undefined }])('is skipped with %o', async (options) => {
    const { status, calls } = await connect(options);
    expect(status).toEqual({ state: 'skipped', reason: 'ipv6' });
    expect(fastPathCalls(calls)).toEqual([]);
    expect(connectStories(calls)).toEqual([['bind ::', 'ConnectEx ::1']]);
  });

  test('is skipped before shouldApply is asked', async () => {
    const asked: unknown[] = [];
    const { status } = await connect({ shouldApply: (endpoint) => asked.push(endpoint) > 0 });
    expect(status).toEqual({ state: 'skipped', reason: 'ipv6' });
    expect(asked).toEqual([]);
  });

  test('is bound IPv6-only first with ipv6: true (B2)', async () => {
    const { status, calls } = await connect({ ipv6: true });
    expect(status).toEqual({ state: 'applied', family: 6, address: '::1' });
    expect(connectStories(calls)).toEqual([['bind ::', 'fast path on', 'ConnectEx ::1']]);
    expect(ipv6Only(calls)).toBe(true);
  });

  test("stays dual-stack with ipv6: 'dual-stack'", async () => {
    const { status, calls } = await connect({ ipv6: 'dual-stack' });
    expect(status).toEqual({ state: 'applied', family: 6, address: '::1' });
    expect(connectStories(calls)).toEqual([['bind ::', 'fast path on', 'ConnectEx ::1']]);
    expect(ipv6Only(calls)).toBe(false);
  });

  test('that Node has bound dual-stack for localAddress is left alone with ipv6: true', async () => {
    keepDualStack();
    const { status, calls } = await connect({ ipv6: true }, '::1', { localAddress: '::1' });
    expect(status).toEqual({ state: 'skipped', reason: 'dual-stack' });
    expect(fastPathCalls(calls)).toEqual([]);
  });

  test('an IPv4-mapped IPv6 address needs dual-stack', async () => {
    // Wine cannot connect such a socket, so what is shown is the decision.
    for (const [options, expected] of [
      [{}, { state: 'skipped', reason: 'ipv6' }],
      [{ ipv6: true }, { state: 'skipped', reason: 'dual-stack' }],
      [{ ipv6: 'dual-stack' }, { state: 'applied', family: 6, address: '::ffff:127.0.0.1' }],
    ] as const) {
      take();
      const socket = closing(net.connect({ port: await echo(), host: '::ffff:127.0.0.1' }));
      enableLoopbackFastPath(socket, options);
      await once(socket, 'connectionAttempt');
      expect(getLoopbackFastPathStatus(socket)).toEqual(expected);
      const calls = take();
      expect(fastPathCalls(calls)).toHaveLength(expected.state === 'applied' ? 1 : 0);
      expect(ipv6Only(calls)).toBe(false);
    }
  });

  test.each(['1', '12'])('with the zone %s', async (zone) => {
    const address = `::1%${zone}`;
    const socket = closing(net.connect({ port: await echo(), host: address }));
    enableLoopbackFastPath(socket, { ipv6: true });
    await once(socket, 'connectionAttempt');
    // Whether the system connects there is its own affair.
    expect(getLoopbackFastPathStatus(socket)).toEqual({ state: 'applied', family: 6, address });
  });

  test('the same address in other notations', async () => {
    for (const host of ['0:0:0:0:0:0:0:1', '::0001', '::0.0.0.1']) {
      const { status } = await connect({ ipv6: true }, host);
      expect(status).toMatchObject({ state: 'applied', family: 6 });
    }
  });
});

describe('a server', () => {
  const warnings: Error[] = [];
  const onWarning = (warning: Error) => warning.name === 'LoopbackFastPathWarning' && warnings.push(warning);
  process.on('warning', onWarning);
  afterEach(() => {
    warnings.length = 0;
  });

  async function listen(options: LoopbackFastPathOptions | undefined, ...args: unknown[]) {
    const server = net.createServer();
    enableLoopbackFastPath(server, options);
    await listening(server, ...args);
    await new Promise(setImmediate);
    return { server, status: getLoopbackFastPathStatus(server), calls: take() };
  }

  test.each([
    ['listen(port)', [0]],
    ['listen(port, ::1)', [0, '::1']],
    ['IPv6-only', [{ port: 0, host: '::1', ipv6Only: true }]],
  ])('%s is skipped and warned of once', async (_form, args) => {
    const { server, status, calls } = await listen(undefined, ...args);
    expect(status).toEqual({ state: 'skipped', reason: 'ipv6' });
    expect(fastPathCalls(calls)).toEqual([]);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]?.message).toContain("listen(port, '127.0.0.1')");
    server.close();
    await once(server, 'close');
    await listening(server, ...args);
    await new Promise(setImmediate);
    expect(warnings).toHaveLength(1);
  });

  test.each([
    ['listen(port)', [0]],
    ['listen(port, ::)', [0, '::']],
    ['listen(port, ::1), which Node binds dual-stack', [0, '::1']],
  ])('%s is skipped as dual-stack with ipv6: true', async (_form, args) => {
    keepDualStack();
    const { status, calls } = await listen({ ipv6: true }, ...args);
    expect(status).toEqual({ state: 'skipped', reason: 'dual-stack' });
    expect(fastPathCalls(calls)).toEqual([]);
    expect(warnings).toHaveLength(1);
  });

  test('an IPv6-only server gets it with ipv6: true', async () => {
    const { status, calls } = await listen({ ipv6: true }, { port: 0, host: '::1', ipv6Only: true });
    expect(status).toEqual({ state: 'applied', family: 6, address: '::1' });
    expect(listenStories(calls)).toEqual([['bind ::1', 'fast path on', 'listen']]);
    expect(ipv6Only(calls)).toBe(true);
    expect(warnings).toEqual([]);
  });

  test("listen(port) gets it with ipv6: 'dual-stack'", async () => {
    const { status, calls } = await listen({ ipv6: 'dual-stack' }, 0);
    expect(status).toEqual({ state: 'applied', family: 6, address: '::' });
    expect(listenStories(calls)).toEqual([['bind ::', 'fast path on', 'listen']]);
    expect(warnings).toEqual([]);
  });

  test('required and skipped does not listen', async () => {
    const server = net.createServer();
    enableLoopbackFastPath(server, { required: true });
    server.listen(0);
    expect(await failure(server)).toMatchObject({ code: 'ERR_LOOPBACK_FAST_PATH_SKIPPED' });
    expect(server.listening).toBe(false);
    expect(listenStories(take())).toEqual([]);
    expect(getLoopbackFastPathStatus(server)).toEqual({ state: 'skipped', reason: 'ipv6' });
  });
});
