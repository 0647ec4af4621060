import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { Findings } from '../../dist/cli/doctor.js';
import { cli, LONG, onWine } from '../support/cli.js';

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

test('--version', async () => {
  expect(await cli(['--version'])).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' });
});

test('an option that it does not have', async () => {
  const message = "Unknown option '--jsno'. Did you mean '--json'? See loopback-fast-path doctor --help\n";
  expect(await cli(['doctor', '--jsno'])).toEqual({ code: 2, stdout: '', stderr: message });
});

describe('doctor on this system', LONG, () => {
  test('says what it found, and a verdict', async () => {
    const { code, stdout, stderr } = await cli(['doctor']);
    expect(stderr).toBe('');
    const verdict = stdout.trimEnd().split('\n').at(-1);
    expect(verdict).toMatch(code === 0 ? /^usable: / : /^not usable: /);
    expect(stdout).toContain(process.version);
    expect(stdout).toContain('Microsoft does not recommend');
    expect(stdout.includes('Wine')).toBe(onWine);
    // Not a terminal.
    expect(stdout).not.toContain('\x1b');
    // What PowerShell 5 puts into a file is of the console's code page.
    if (process.platform === 'win32') expect(stdout).not.toMatch(/[█×µ–…]/);
  });

  test('--json is the same for machines', async () => {
    const { code, stdout } = await cli(['doctor', '--json']);
    const found = JSON.parse(stdout) as Findings;
    expect(found).toMatchObject({
      tool: 'loopback-fast-path doctor',
      version,
      system: { platform: process.platform, arch: process.arch, node: process.version, wine: onWine },
      verdict: { usable: code === 0 },
    });
    if (process.platform !== 'win32') {
      expect(code).toBe(1);
      expect(found.binary).toMatchObject({ error: { code: 'ERR_LOOPBACK_FAST_PATH_PLATFORM' } });
      expect(found.ioctl).toBe(undefined);
    }
  });

  test('names the environment variables and flags that affect it', async () => {
    const flags = '--no-addons --require loopback-fast-path/register';
    const env = { LOOPBACK_FAST_PATH: '0', NODE_OPTIONS: flags };
    const { stdout, code } = await cli(['doctor', '--json'], env);
    const { settings } = JSON.parse(stdout) as Findings;
    expect(settings.map(({ name, value }) => [name, value])).toEqual([
      ['LOOPBACK_FAST_PATH', '0'],
      ['loopback-fast-path/register', flags],
      ['--no-addons', 'set'],
    ]);
    expect(code).toBe(1);
  });
});
