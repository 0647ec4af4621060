// OpenTelemetry, which wraps net and http: the same spans.
import { createRequire } from 'node:module';
import { exchange } from '../tests/exchange.cjs';

// It looks at net from when that is first required after it, as the package does.
createRequire(import.meta.url)('node:net');

console.log(await exchange(), await exchange());
console.log(
  globalThis.spans
    .getFinishedSpans()
    .map(({ name, kind }) => `${name} ${kind}`)
    .sort(),
);
