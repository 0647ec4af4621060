// The demo: an armed HTTP server and an armed echo server in one process, armed
// clients in two others, real requests between them, and what became of each
// socket. Run it with `npm run demo`, or on Windows with `node demo/main.js`.

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { release } from 'node:os';
import { fileURLToPath } from 'node:url';
import { probeLoopbackFastPath } from 'loopback-fast-path';

function start(program, ...args) {
  return fork(fileURLToPath(new URL(program, import.meta.url)), args.map(String));
}

function print(process, what, { state, address, reason, error }) {
  const detail = {
    applied: () => `applied: the system accepted it for ${address}`,
    skipped: () => `skipped: ${reason}`,
    failed: () => `failed: the system said ${error}`,
  }[state];
  console.log(`  ${process.padEnd(12)}${what.padEnd(24)}${detail?.() ?? state}`);
}

const system = process.env.LOOPBACK_TEST_SYSTEM === 'wine' ? 'Wine, not Windows' : `release ${release()}`;
console.log(`Node ${process.version} for ${process.platform}-${process.arch}, on ${system}`);
const probe = probeLoopbackFastPath();
console.log(`Does the system take the ioctl?  ${probe.supported ? 'yes' : `no: ${probe.error.message}`}\n`);

const server = start('server.js');
const [{ httpPort, echoPort, statuses }] = await once(server, 'message');
console.log('What became of each socket:');
for (const [what, status] of statuses) print('server', what, status);

const totals = [];
for (const [name, program, port] of [
  ['http client', 'http-client.js', httpPort],
  ['net client', 'net-client.js', echoPort],
]) {
  const client = start(program, port);
  const [{ statuses, total }] = await once(client, 'message');
  for (const [what, status] of statuses) print(name, what, status);
  totals.push(`  ${name.padEnd(12)}${total}`);
}
server.send('stop');
await once(server, 'exit');

console.log(`\nWhat was exchanged:\n${totals.join('\n')}`);
console.log(
  probe.supported
    ? '\nApplied means accepted by the system, on both ends. Whether packets took the fast path Windows does not tell.'
    : '\nThe fast path stayed off; every connection took the ordinary path, and nothing was lost.',
);
