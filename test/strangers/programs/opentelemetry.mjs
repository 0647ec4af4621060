// OpenTelemetry, which wraps net and http: the same spans.
import { exchange } from '../tests/exchange.cjs';

console.log(await exchange(), await exchange());
console.log(
  globalThis.spans
    .getFinishedSpans()
    .map(({ name, kind }) => `${name} ${kind}`)
    .sort(),
);
