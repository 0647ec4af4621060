// Mocha, in this process.
import { fileURLToPath } from 'node:url';
import Mocha from 'mocha';

const mocha = new Mocha({ reporter: 'min', timeout: 20_000 });
mocha.reporter(class {});
mocha.addFile(fileURLToPath(new URL('../tests/globals.test.cjs', import.meta.url)));
await mocha.loadFilesAsync();
mocha.run().on('end', function () {
  console.log({ passes: this.stats.passes, failures: this.stats.failures });
  process.exitCode = this.stats.failures;
});
