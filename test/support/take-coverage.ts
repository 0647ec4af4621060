import { takeCoverage } from 'node:v8';
import { afterAll } from 'vitest';

// On Windows vitest ends the process of a test file before it could write its coverage.
// Where nobody asked for any (NODE_V8_COVERAGE), this does nothing.
afterAll(() => takeCoverage());
