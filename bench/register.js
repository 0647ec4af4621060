// What a registration costs each connection, interleaved in one run. Run it with
// `npm run bench:register`; what it costs to load is `npm run bench:start`. It does not
// measure what the fast path gains.
//
//   --seconds N   how long connections are compared (default 10)

import { once } from 'node:events';
import net from 'node:net';
import { parseArgs } from 'node:util';
import { registerLoopbackFastPath } from 'loopback-fast-path';
import { acceptTheIoctl, compare, record, shown, system } from './measure.js';

const { values } = parseArgs({ options: { seconds: { type: 'string', default: '10' } } });
console.log(system());
acceptTheIoctl();
const echo = net.createServer((socket) => socket.on('error', () => {})).listen(0, '127.0.0.1');
await once(echo, 'listening');

/** Seconds for `count` connections, one after the other. */
async function connects(registered, count = 100) {
  const unregister = registered ? registerLoopbackFastPath() : undefined;
  const begin = process.hrtime.bigint();
  for (let i = 0; i < count; ++i) {
    const socket = net.connect(echo.address().port, '127.0.0.1');
    await once(socket, 'connect');
    socket.resetAndDestroy();
  }
  const seconds = Number(process.hrtime.bigint() - begin) / 1e9;
  unregister?.();
  return seconds;
}

const { plain, armed, control, rounds } = await compare(connects, Number(values.seconds) * 1000);
console.log(`connections per second without: ${(100 / plain).toFixed(0)}`);
console.log(`with / without:    ${shown(armed)}, ${rounds} rounds, interval of 95 %`);
record('connects, registered / not', armed);
console.log(`without / without: ${shown(control)}`);
process.exit();
