// Preloaded: the system accepts the ioctl, and how many SOCKETs had it is noted at exit.

require('../support/accept.cjs');
const { subscribe } = require('node:diagnostics_channel');
const { appendFileSync } = require('node:fs');
const { isMainThread } = require('node:worker_threads');

let applied = 0;
subscribe('loopback-fast-path:status', ({ status }) => {
  if (status.state === 'applied') applied += 1;
});
if (isMainThread)
  process.on('exit', () => applied > 0 && appendFileSync(process.env.LOOPBACK_TEST_APPLIED, `${applied}\n`));
