// For mocha and Jest.
const assert = require('node:assert');
const { exchange } = require('./exchange.cjs');

describe('a request', () => {
  for (const n of [1, 2, 3]) it(`is answered, ${n}`, async () => assert.equal(await exchange(), 'pong'));
  it('fails where it should', async () => assert.equal(await exchange(), 'ping'));
});
