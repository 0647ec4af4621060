import test from 'ava';
import { exchange } from './exchange.cjs';

for (const n of [1, 2, 3]) test(`is answered, ${n}`, async (t) => t.is(await exchange(), 'pong'));
