import { expect, test } from 'vitest';
import type { BenchResult } from '../../dist/cli/bench/bench.js';
import { ACCEPTING, cli, onWine } from '../support/cli.js';

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
