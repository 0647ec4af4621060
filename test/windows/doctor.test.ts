import { describe, expect, test } from 'vitest';
import { examine } from '../../dist/cli/doctor.js';
import { describeFindings } from '../../dist/cli/doctor-report.js';
import { paintFor } from '../../dist/cli/paint.js';
import { withCallouts } from '../../dist/cli/powershell.js';
import { onWine } from '../support/cli.js';
import { answer, type Call, fastPathCalls, layerProviders, take, useRecorder } from '../support/recorder.js';
import { binaryFile } from '../support/sockets.js';

useRecorder();

const AF_INET6 = 23;
const IPV6_V6ONLY = 27;
// PowerShell, where there is one.
const LONG = { timeout: 120_000 };

const text = (found: Awaited<ReturnType<typeof examine>>) => describeFindings(found, paintFor(process.stdout));

test('accepted: usable, and IPv6 is not asked', LONG, async () => {
  const found = await examine({ ipv6: false });
  expect(found).toMatchObject({
    ioctl: { ipv4: { on: 'accepted', off: 'accepted' } },
    layered: false,
    system: { wine: onWine },
    verdict: { usable: true },
  });
  const calls = take();
  expect(calls.filter(({ call, value }) => call === 'socket' && value === AF_INET6)).toEqual([]);
  expect(
    fastPathCalls(calls)
      .slice(0, 2)
      .map(({ value }) => value),
  ).toEqual([1, 0]);
  expect(text(found)).toContain('IPv6          not asked');
  expect(text(found)).toContain('usable: ');
  expect(text(found).includes('Wine')).toBe(onWine);
});

test('--ipv6 asks on an IPv6-only socket', LONG, async () => {
  const found = await examine({ ipv6: true });
  expect(found.ioctl?.ipv6).toEqual({ on: 'accepted', off: 'accepted' });
  const calls = take();
  const made = calls.flatMap(({ call, value }, index) => (call === 'socket' && value === AF_INET6 ? [index] : []));
  expect(made).toHaveLength(2);
  for (const index of made) {
    const [, option, ioctl, close] = calls.slice(index, index + 4);
    expect(option).toMatchObject({ call: 'setsockopt', code: IPV6_V6ONLY, value: 1 });
    expect(fastPathCalls([ioctl as Call])).toHaveLength(1);
    expect(close).toMatchObject({ call: 'closesocket', socket: option?.socket });
  }
});

test('refused: not usable, with the words of the system', LONG, async () => {
  answer(10045);
  const found = await examine({ ipv6: false });
  expect(found).toMatchObject({
    ioctl: { ipv4: { on: { code: 'WSAEOPNOTSUPP' }, off: { code: 'WSAEOPNOTSUPP' } } },
    verdict: { usable: false, text: expect.stringContaining('WSAEOPNOTSUPP') },
  });
  expect(found.counter).toBe(undefined);
  expect(text(found)).toContain('not watched: the ioctl is not accepted');
});

test('on and off may be answered differently', LONG, async () => {
  answer([0, 10022], 0);
  const found = await examine({ ipv6: false });
  expect(found.ioctl?.ipv4).toMatchObject({ on: 'accepted', off: { code: 'WSAEINVAL' } });
  expect(text(found)).toMatch(/on accepted; off refused: WSAIoctl WSAEINVAL/);
});

test('a layered provider', LONG, async () => {
  layerProviders(1 << 20);
  const found = await examine({ ipv6: false });
  expect(found.layered).toBe(true);
  expect(text(found)).toContain('yes: something sits between');
});

describe('the binary', () => {
  test.skipIf(process.env.LOOPBACK_TEST_BINARY === 'MSVC')(
    'is the published one [not one that MSVC built]',
    LONG,
    async () => {
      expect((await examine({ ipv6: false })).binary).toMatchObject({ file: binaryFile, published: true });
    },
  );
});

test('LOOPBACK_FAST_PATH=0 makes it not usable here', LONG, async () => {
  process.env.LOOPBACK_FAST_PATH = '0';
  try {
    const { verdict, settings } = await examine({ ipv6: false });
    expect(verdict).toMatchObject({ usable: false, text: expect.stringContaining('LOOPBACK_FAST_PATH=0') });
    expect(settings).toHaveLength(1);
  } finally {
    delete process.env.LOOPBACK_FAST_PATH;
  }
});

test('drivers with callouts are told from others by what they import', async () => {
  const none = { file: binaryFile, company: 'x' };
  // This file names the function, as an import table would.
  const some = { file: import.meta.filename, company: 'FwpsCalloutRegister' };
  expect(await withCallouts([none, some, { file: 'C:\\not\\there.sys', company: '' }])).toEqual([
    { file: 'doctor.test.ts', company: 'FwpsCalloutRegister' },
  ]);
});

test('the counter is said with its uncertainty', async () => {
  const found = await examine({ ipv6: false });
  const say = (before: number, after: number) => text({ ...found, counter: { before, after, connections: 10 } });
  expect(say(5, 5)).toContain('rose by 0');
  expect(say(5, 8)).toContain('or connections of other programs');
  expect(say(5, 16)).toContain('may have left the fast path');
  // 32 bits.
  expect(say(0xffffffff, 9)).toContain('rose by 10');
  expect(say(5, 5)).toContain('Not a proof');
});

test('foreign drivers come first', async () => {
  const found = await examine({ ipv6: false });
  const drivers = [
    { file: 'mpsdrv.sys', company: 'Microsoft Corporation' },
    { file: 'guard.sys', company: 'ACME' },
  ];
  expect(text({ ...found, calloutDrivers: drivers })).toMatch(
    /guard\.sys \(ACME\)\n.*\n.*Of Windows itself: mpsdrv\.sys\./,
  );
  expect(text({ ...found, calloutDrivers: drivers.slice(0, 1) })).toContain('no foreign driver');
});
