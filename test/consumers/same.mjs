// What import and require() return: the same objects. Prints one line.

import assert from 'node:assert/strict';
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const main = require('loopback-fast-path');
assert.equal(typeof main.enableLoopbackFastPath, 'function');
for (const name of ['', '/win32-x64', '/win32-arm64', '/win32-ia32', '/custom']) {
  const required = require(`loopback-fast-path${name}`);
  const imported = await import(`loopback-fast-path${name}`);
  for (const key of Object.keys(main)) assert.equal(required[key], main[key], `require of ${name}: ${key}`);
  for (const key of Object.keys(required)) assert.equal(imported[key], required[key], `import of ${name}: ${key}`);
}
console.log('the same');
