// Put at the end of dist/core.cjs and dist/register.cjs: which mutants a program came by that a
// test started. The process of the test itself tells by seen.ts.
const { LOOPBACK_TEST_SEEN: folder, LOOPBACK_TEST_ID: test } = process.env;
const stryker = globalThis.__stryker__;
if (folder && stryker && !('currentTestId' in stryker)) {
  const file = `${folder}/programs/${process.pid}-${process.hrtime.bigint()}.json`;
  const tell = (mutants) => {
    try {
      require('node:fs').writeFileSync(file, JSON.stringify({ test, mutants }));
    } catch {
      // Under the permission model it may not.
    }
  };
  // What is ended by force will not say more.
  tell();
  process.on('exit', () => tell(Object.keys(stryker.mutantCoverage?.static ?? {})));
}
