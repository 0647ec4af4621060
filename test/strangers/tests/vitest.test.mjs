import { expect, test } from 'vitest';
import { exchange } from './exchange.cjs';

for (const n of [1, 2, 3]) test(`is answered, ${n}`, async () => expect(await exchange()).toBe('pong'));
test('fails where it should', async () => expect(await exchange()).toBe('ping'));
