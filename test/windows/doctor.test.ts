import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { examine, type Findings } from '../../dist/cli/doctor.js';
import { describeFindings } from '../../dist/cli/doctor-report.js';
import { paintFor } from '../../dist/cli/paint.js';
import { findCallouts } from '../../dist/cli/powershell.js';
import { nativePath, systemFolder } from '../../dist/cli/system.js';
import { LONG, onWine } from '../support/cli.js';
import {
  answer,
  type Call,
  fastPathCalls,
  layerProviders,
  SIO_TCP_INFO,
  sayTcpInfo,
  take,
  useRecorder,
} from '../support/recorder.js';
import { binaryFile } from '../support/sockets.js';
import { tcpInfoBytes } from '../support/windows-output.js';

useRecorder();

const AF_INET6 = 23;
const IPV6_V6ONLY = 27;

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

test('refused: not usable, with the text of the system', LONG, async () => {
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

/** What was found here once: for reports of what it could have been. */
let once: Promise<Findings> | undefined;
function foundHere(): Promise<Findings> {
  once ??= examine({ ipv6: false });
  return once;
}

describe('PowerShell', () => {
  test('is started once, and the report has the time that took', LONG, async () => {
    const found = await foundHere();
    const { powershell, system } = found;
    expect(powershell).toEqual({ seconds: expect.any(Number), answered: expect.any(Boolean) });
    // Wine has none that answers, and one Wine here does not say that it is Wine.
    if (onWine) expect(powershell?.answered).toBe(false);
    expect(system.updateRevision === undefined).toBe(!powershell?.answered);
    if (powershell?.answered) {
      expect(text(found)).toMatch(/PowerShell +took \d/);
      expect(found.calloutDrivers).toBeDefined();
    } else {
      expect(text(found)).toMatch(/PowerShell +did not answer \(\d/);
      expect(text(found)).toContain('not known: PowerShell did not list the running drivers');
    }
  });

  test('drivers with callouts are told from others by what they import, and the unread are counted', async () => {
    const none = { file: binaryFile, company: 'x' };
    // This file names the function, as an import table would.
    const some = { file: import.meta.filename, company: 'FwpsCalloutRegister' };
    expect(await findCallouts([none, some, { file: 'C:\\not\\there.sys', company: '' }])).toEqual({
      calloutDrivers: [{ file: 'doctor.test.ts', company: 'FwpsCalloutRegister' }],
      unreadDrivers: ['there.sys'],
    });
  });

  test('foreign drivers come first', LONG, async () => {
    const found = await foundHere();
    const drivers = [
      { file: 'mpsdrv.sys', company: 'Microsoft Corporation' },
      { file: 'guard.sys', company: 'ACME' },
    ];
    expect(text({ ...found, calloutDrivers: drivers, unreadDrivers: [] })).toMatch(
      /guard\.sys \(ACME\)\n.*\n.*Of Windows itself: mpsdrv\.sys\./,
    );
    const clean = { ...found, calloutDrivers: drivers.slice(0, 1) };
    expect(text({ ...clean, unreadDrivers: [] })).toContain('connections is running');
    const unread = text({ ...clean, unreadDrivers: ['a.sys', 'b.sys'] });
    expect(unread).toContain('was found, but not all could be read');
    expect(unread).toContain('2 running drivers could not be read: a.sys, b.sys.');
    expect(unread).not.toContain('connections is running');
  });

  test('the counter is reported with its uncertainty', LONG, async () => {
    const found = await foundHere();
    const say = (before: number, after: number) => text({ ...found, counter: { before, after, connections: 10 } });
    expect(say(5, 5)).toContain('rose by 0');
    expect(say(5, 8)).toContain('or connections of other programs');
    expect(say(5, 16)).toContain('may have left the fast path');
    // 32 bits.
    expect(say(0xffffffff, 9)).toContain('rose by 10');
    expect(say(5, 5)).toContain('Not a proof');
  });
});

// What a 32-bit process sees instead, test/machines/program.mjs shows.
test('the folder of the system has what doctor starts', () => {
  const { SystemRoot = 'C:\\Windows' } = process.env;
  expect(existsSync(join(systemFolder(), 'netsh.exe'))).toBe(true);
  expect(existsSync(nativePath(join(SystemRoot, 'SYSTEM32', 'ntdll.dll')))).toBe(true);
});

test('the settings of Windows for loopback are shown, known or not', LONG, async () => {
  const found = await foundHere();
  const row = /Loopback settings +(.*)/.exec(text(found))?.[1];
  expect(row?.split(', ')).toHaveLength(3);
  // Wine's netsh says nothing.
  if (onWine) expect(found.loopback).toBe(undefined);
  const loopback = { loopbackexecutionmode: { value: 'inline', changed: true } };
  expect(text({ ...found, loopback })).toContain(
    'loopbackexecutionmode=inline (changed), loopbackworkercount not known, loopbacklargemtu not known',
  );
});

describe('is it on?', () => {
  test('both ends of a plain and an armed connection are looked at, after the same traffic', LONG, async () => {
    sayTcpInfo(tcpInfoBytes(97));
    const found = await examine({ ipv6: false });
    const ends = { client: { RttUs: 97, BytesOut: 1054976 }, server: { RttUs: 97 } };
    expect(found.tcpInfo).toMatchObject({ bytes: 1 << 20, roundTrips: 100, plain: ends, armed: ends });
    const calls = take();
    const asked = calls.filter(({ call, code }) => call === 'WSAIoctl' && code === SIO_TCP_INFO);
    expect(asked.map(({ value, inputSize, outputSize }) => [value, inputSize, outputSize])).toEqual(
      Array.from({ length: 4 }, () => [0, 4, 88]),
    );
    // Four SOCKETs, and the client's of the second connection alone was armed itself.
    const sockets = asked.map(({ socket }) => socket);
    const before = calls.slice(0, calls.indexOf(asked[2] as Call));
    const armed = (index: number) =>
      before.some((call) => fastPathCalls([call]).length > 0 && call.socket === sockets[index]);
    expect(armed(2)).toBe(true);
    const said = text(found);
    expect(said).toMatch(/plain, client +plain, server +armed, client +armed, server/);
    expect(said).toMatch(/RttUs +97 +97 +97 +97/);
    expect(said).toContain('What a difference means is not known');
  });

  test('differences stand side by side', LONG, async () => {
    sayTcpInfo(tcpInfoBytes());
    const { tcpInfo, ...found } = await examine({ ipv6: false });
    if (tcpInfo === undefined || 'code' in tcpInfo.armed || 'code' in tcpInfo.armed.client) throw new Error('refused');
    const client = { ...tcpInfo.armed.client, Mss: 1, BytesOut: 0 };
    const armed = { ...tcpInfo.armed, client };
    const said = text({ ...found, tcpInfo: { ...tcpInfo, armed } });
    expect(said).toMatch(/Mss +65495 +65495 +1 +65495/);
    expect(said).toMatch(/BytesOut +1054976 +1054976 +0 +1054976/);
  });

  test.runIf(onWine)('Wine does not know SIO_TCP_INFO, and the report says so [Wine]', LONG, async () => {
    const found = await examine({ ipv6: false });
    const refused = {
      code: 'WSAEOPNOTSUPP',
      message: expect.stringMatching(/^WSAIoctl SIO_TCP_INFO WSAEOPNOTSUPP \(10045\)/),
    };
    const ends = { client: refused, server: refused };
    expect(found.tcpInfo).toMatchObject({ plain: ends, armed: ends });
    expect(text(found).match(/Refused: /g)).toHaveLength(1);
  });

  test('not where the ioctl is refused', LONG, async () => {
    answer(10045);
    const found = await examine({ ipv6: false });
    expect(found.tcpInfo).toBe(undefined);
    expect(text(found)).not.toContain('Is it on?');
  });
});
