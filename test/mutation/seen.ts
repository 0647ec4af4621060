// Which mutants the code has come by in each test of a file, and when the file was loaded. Only
// for the run without a mutant.

import { mkdirSync, writeFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';

const { LOOPBACK_TEST_SEEN: folder, LOOPBACK_TEST_FILE: file = '' } = process.env;

if (folder) {
  type Seen = Record<string, unknown>;
  const stryker: { currentTestId: string; mutantCoverage?: { static: Seen; perTest: Record<string, Seen> } } = {
    currentTestId: '',
  };
  Object.assign(globalThis, { __stryker__: stryker });
  mkdirSync(`${folder}/programs`, { recursive: true });
  const tests: { id: string; seconds: number }[] = [];
  let begin = 0;
  let loading: string[] = [];

  // Before the hooks of the test file.
  beforeAll(() => {
    loading = Object.keys(stryker.mutantCoverage?.static ?? {});
  });

  beforeEach(({ task }) => {
    stryker.currentTestId = task.id;
    process.env.LOOPBACK_TEST_ID = task.id;
    begin = performance.now();
  });
  afterEach(({ task }) => {
    tests.push({ id: task.id, seconds: (performance.now() - begin) / 1000 });
  });
  afterAll(() => {
    const { perTest = {} } = stryker.mutantCoverage ?? {};
    const seen = {
      loading,
      tests: tests.map((test) => ({ ...test, mutants: Object.keys(perTest[test.id] ?? {}) })),
    };
    writeFileSync(`${folder}/${file.replace('/', '-')}.json`, JSON.stringify(seen));
  });
}
