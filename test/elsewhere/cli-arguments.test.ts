import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { cli } from '../support/cli.js';

// Arguments are the same on every system, and starting a program is slow on Wine.

test.each([
  [['--help'], 'Usage: loopback-fast-path <command>'],
  [['-h'], 'Usage: loopback-fast-path <command>'],
  [['doctor', '--help'], 'Usage: loopback-fast-path doctor'],
  [['bench', '-h'], 'Usage: loopback-fast-path bench'],
])('%j', async (args, text) => {
  const { code, stdout, stderr } = await cli(args);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toContain(text);
  expect(stdout).toContain('Exit code');
});

test.each([
  [[], 'No command given: "doctor" or "bench". See loopback-fast-path --help'],
  [['docter'], "Unknown command 'docter'. Did you mean 'doctor'? See loopback-fast-path --help"],
  [['--verson'], "Unknown option '--verson'. Did you mean '--version'? See loopback-fast-path --help"],
  [['doctor', '--jsno'], "Unknown option '--jsno'. Did you mean '--json'? See loopback-fast-path doctor --help"],
  [['doctor', '--quick'], "Unknown option '--quick'. See loopback-fast-path doctor --help"],
  [['doctor', 'now'], "Unknown argument 'now'. See loopback-fast-path doctor --help"],
  [
    ['bench', '--secons', '3'],
    "Unknown option '--secons'. Did you mean '--seconds'? See loopback-fast-path bench --help",
  ],
  [['bench', '--html'], "Option '--html <value>' argument missing See loopback-fast-path bench --help"],
  [['bench', '--json=yes'], "Option '--json' does not take an argument See loopback-fast-path bench --help"],
  [['bench', '--seconds', 'x'], "--seconds must be a number between 0 and 3600, not 'x'."],
  [['bench', '--seconds', '0'], "--seconds must be a number between 0 and 3600, not '0'."],
])('%j is refused with exit code 2 and a hint', async (args, message) => {
  expect(await cli(args)).toEqual({ code: 2, stdout: '', stderr: `${message}\n` });
});

test('-v is --version', async () => {
  expect(await cli(['-v'])).toEqual(await cli(['--version']));
});

test('--native says where it can be had', async () => {
  expect(await cli(['bench', '--native'])).toMatchObject({
    code: 2,
    stderr: '--native is for Windows: the twin speaks Winsock.\n',
  });
});

test('a page that cannot be written is refused before anything is measured', async () => {
  const { code, stderr } = await cli(['bench', '--html', '/not/there/page.html']);
  expect(code).toBe(2);
  expect(stderr).toMatch(/^--html: ENOENT: .*\n$/);
});

test('bench refuses to take armed sockets for plain ones', async () => {
  // Loaded with the very name that loopback-fast-path/register has in NODE_OPTIONS.
  const env = { NODE_OPTIONS: '--import data:text/javascript,//loopback-fast-path/register' };
  const { code, stderr } = await cli(['bench', '--quick'], env);
  expect(code).toBe(2);
  expect(stderr).toBe(
    'loopback-fast-path/register arms the sockets that bench takes for plain ones. Run it without.\n',
  );
});

/** The modules of the command that a run of it loads, as V8 counts them. */
async function loadedBy(args: string[]): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'coverage-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  await cli(args, { NODE_V8_COVERAGE: folder });
  const urls = readdirSync(folder).flatMap((file) => {
    const { result } = JSON.parse(readFileSync(join(folder, file), 'utf8')) as { result: { url: string }[] };
    return result.map(({ url }) => url);
  });
  return urls.flatMap((url) => /\/dist\/cli\/(.*)/.exec(url)?.[1] ?? []);
}

test('doctor loads nothing of bench, and bench nothing of doctor', async () => {
  const doctor = await loadedBy(['doctor']);
  expect(doctor).toContain('doctor.js');
  expect(doctor.filter((file) => file.includes('bench'))).toEqual([]);
  // --native is refused here, once everything is there.
  const bench = await loadedBy(['bench', '--native']);
  expect(bench).toContain('bench/bench.js');
  expect(bench.filter((file) => file.includes('doctor') || file.includes('powershell'))).toEqual([]);
  expect(await loadedBy(['--help'])).not.toContain('doctor.js');
});

test('--ascii', async () => {
  const ascii = /^[\n -~]*$/;
  const args = ['bench', '--quick', '--seconds', '0.5'];
  const plain = await cli(args);
  expect(plain.stdout).not.toMatch(ascii);
  for (const more of [[], ['--json']]) expect((await cli([...args, '--ascii', ...more])).stdout).toMatch(ascii);
  expect((await cli(['doctor', '--ascii'])).stdout).toMatch(ascii);
});
