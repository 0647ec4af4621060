import { Readable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { isAsciiOnly, toAscii, toAsciiJson } from '../../dist/cli/ascii.js';
import {
  describeLoopbackSettings,
  NETSH_DUMP,
  NETSH_SHOW_GLOBAL,
  parseLoopbackSettings,
} from '../../dist/cli/netsh.js';
import { POWERSHELL_SCRIPT, readAnswers, withoutModulePath } from '../../dist/cli/powershell.js';
import { parseTcpInfo } from '../../dist/cli/tcp-info.js';
import {
  DUMP_OF_CHANGES,
  DUMP_OF_DEFAULTS,
  GLOBAL_IN_CHINESE,
  GLOBAL_IN_ENGLISH,
  GLOBAL_IN_GERMAN,
  GLOBAL_WITHOUT_LOOPBACK,
  POWERSHELL_LINES,
  POWERSHELL_LINES_OF_LITTLE,
  tcpInfoBytes,
} from '../support/windows-output.js';

// Reading of texts, which is the same on every system. The texts were written from
// Microsoft's documents; see test/support/windows-output.ts.

describe('netsh, as its documents have it', () => {
  const changes = {
    loopbackexecutionmode: { value: 'inline', changed: true },
    loopbackworkercount: { value: '4', changed: true },
  };

  test('what was set, and what is the default', () => {
    expect(parseLoopbackSettings(DUMP_OF_CHANGES, GLOBAL_IN_ENGLISH)).toEqual({
      ...changes,
      loopbacklargemtu: { value: 'enabled', changed: false },
    });
    expect(parseLoopbackSettings(DUMP_OF_DEFAULTS, GLOBAL_IN_ENGLISH)).toEqual({
      loopbackexecutionmode: { value: 'adaptive', changed: false },
      loopbackworkercount: { value: '2', changed: false },
      loopbacklargemtu: { value: 'enabled', changed: false },
    });
  });

  test.each([
    [
      'German',
      GLOBAL_IN_GERMAN,
      { loopbackexecutionmode: 'inline', loopbackworkercount: '8', loopbacklargemtu: 'disabled' },
    ],
    ['Chinese: the mode alone can be told', GLOBAL_IN_CHINESE, { loopbackexecutionmode: 'worker' }],
  ])('in %s', (_language, global, values) => {
    const found = parseLoopbackSettings(DUMP_OF_DEFAULTS, global);
    expect(Object.fromEntries(Object.entries(found).map(([name, { value }]) => [name, value]))).toEqual(values);
  });

  test('what is not the only one of its kind is not taken', () => {
    const twice = GLOBAL_IN_ENGLISH.replace('version3', 'worker').replace('Minimum Mtu', 'Minimum Loopback');
    expect(parseLoopbackSettings('', twice)).toEqual({ loopbacklargemtu: { value: 'enabled' } });
  });

  test('without an answer, or before Windows 10 1809, nothing is known', () => {
    expect(parseLoopbackSettings('', '')).toEqual({});
    expect(parseLoopbackSettings(DUMP_OF_DEFAULTS, GLOBAL_WITHOUT_LOOPBACK)).toEqual({});
    expect(describeLoopbackSettings()).toEqual([
      'loopbackexecutionmode not known',
      'loopbackworkercount not known',
      'loopbacklargemtu not known',
    ]);
    // Without the dump, whether somebody set it is not known either.
    expect(describeLoopbackSettings(parseLoopbackSettings('', GLOBAL_IN_ENGLISH))[0]).toBe(
      'loopbackexecutionmode=adaptive',
    );
    expect(describeLoopbackSettings(changes)[0]).toBe('loopbackexecutionmode=inline (changed)');
  });

  test('only reads', () => {
    expect(NETSH_DUMP).toMatch(/^netsh int ipv4 dump$/);
    expect(NETSH_SHOW_GLOBAL).toMatch(/^netsh int ipv4 show global$/);
  });
});

describe('PowerShell, as its documents have it', () => {
  const lines = (texts: string[]) => Readable.from(texts.map((text) => `${text}\r\n`));
  /** Lines one after the other, each when the work of the one before is done. */
  async function* slowly(texts: string[]) {
    for (const text of texts) {
      yield `${text}\r\n`;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  test('the revision, the drivers and the counter, with the connections in between', async () => {
    const events: string[] = [];
    const answers = await readAnswers(Readable.from(slowly(POWERSHELL_LINES)), async () => {
      events.push('connections');
    });
    expect(answers).toEqual({
      updateRevision: 4349,
      drivers: [
        { file: 'C:\\WINDOWS\\system32\\drivers\\mpsdrv.sys', company: 'Microsoft Corporation' },
        { file: 'C:\\WINDOWS\\system32\\drivers\\guard.sys', company: 'Écran & Söhne' },
      ],
      counter: { before: 4294967290, after: 4 },
    });
    expect(events).toEqual(['connections']);
  });

  test('a counter that was read before the connections were made is not taken', async () => {
    const late = () => new Promise<void>((resolve) => setTimeout(resolve, 100));
    const answers = await readAnswers(lines(POWERSHELL_LINES), late);
    expect(answers).toMatchObject({ updateRevision: 4349 });
    expect(answers.counter).toBe(undefined);
  });

  test('what it does not know is absent, and no connection is made for it', async () => {
    const never = () => Promise.reject(new Error('no connection was to be made'));
    expect(await readAnswers(lines(POWERSHELL_LINES_OF_LITTLE), never)).toEqual({});
    expect(await readAnswers(lines([]), never)).toEqual({});
    expect(await readAnswers(lines(['powershell : not available', '[1']), never)).toEqual({});
  });

  test('what was printed before it was ended counts', async () => {
    const answers = await readAnswers(lines(POWERSHELL_LINES.slice(0, 2)), async () => {});
    expect(answers.drivers).toHaveLength(2);
    expect(answers.counter).toBe(undefined);
  });

  test('gets no modules of PowerShell 7, whatever the letters', () => {
    expect(withoutModulePath({ PSMODULEPATH: 'a', PSModulePath: 'b', Path: 'c' })).toEqual({ Path: 'c' });
  });

  test('the script is one line without double quotes, so that a person can paste it', () => {
    expect(POWERSHELL_SCRIPT).not.toMatch(/["\n]/);
  });
});

describe('TCP_INFO_v0, as mstcpip.h has it', () => {
  test('each field from its place', () => {
    expect(parseTcpInfo(tcpInfoBytes())).toEqual({
      State: 4,
      Mss: 65495,
      ConnectionTimeMs: 8589934592,
      TimestampsEnabled: 1,
      RttUs: 41,
      MinRttUs: 7,
      BytesInFlight: 3,
      Cwnd: 4294967295,
      SndWnd: 2619800,
      RcvWnd: 2619801,
      RcvBuf: 65536,
      BytesOut: 1054976,
      BytesIn: 6400,
      BytesReordered: 11,
      BytesRetrans: 12,
      FastRetrans: 13,
      DupAcksIn: 14,
      TimeoutEpisodes: 15,
      SynRetrans: 2,
    });
  });

  test('a shorter one is not guessed at', () => {
    expect(parseTcpInfo(tcpInfoBytes().subarray(0, 60))).toEqual({
      code: 'UNKNOWN',
      message: 'Only 60 bytes were written.',
    });
  });
});

describe('without anything but ASCII', () => {
  test('on Windows but for a console, and where asked to', () => {
    expect(isAsciiOnly({}, false, 'win32')).toBe(true);
    expect(isAsciiOnly({ isTTY: true }, false, 'win32')).toBe(false);
    expect(isAsciiOnly({ isTTY: true }, true, 'win32')).toBe(true);
    expect(isAsciiOnly({}, false, 'linux')).toBe(false);
    expect(isAsciiOnly({}, true, 'linux')).toBe(true);
  });

  test('our own signs are replaced; texts of the system stay', () => {
    expect(toAscii('█ 1.25× 34.1 µs – a → b… für')).toBe('# 1.25x 34.1 us - a -> b... für');
  });

  test('JSON says the same with escapes', () => {
    const value = { name: 'für × 😀' };
    const json = toAsciiJson(JSON.stringify(value));
    expect(json).toMatch(/^[ -~]*$/);
    expect(JSON.parse(json)).toEqual(value);
  });
});
