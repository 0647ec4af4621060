import { writeFileSync } from 'node:fs';
import { afterAll } from 'vitest';

// Which mutants the code has come by that this test file ran in its own process.
afterAll(() => {
  const file = process.env.LOOPBACK_TEST_SEEN;
  const { __stryker__ } = globalThis as { __stryker__?: { mutantCoverage?: { static: object } } };
  if (file) writeFileSync(file, JSON.stringify(Object.keys(__stryker__?.mutantCoverage?.static ?? {})));
});
