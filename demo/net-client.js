import { once } from 'node:events';
import net from 'node:net';
import { tryEnableLoopbackFastPath } from 'loopback-fast-path';
import { plain } from './status.js';

const SIZE = 1 << 20;
const socket = net.connect(Number(process.argv[2]), '127.0.0.1');
// Right after net.connect(), in the same tick, is in time.
tryEnableLoopbackFastPath(socket);

await once(socket, 'connect');
const sent = Buffer.alloc(SIZE, (Math.random() * 1e9).toString());
socket.end(sent);
const received = Buffer.concat(await socket.toArray());
process.send({
  statuses: [['net.Socket', plain(socket)]],
  total: `${received.length} of ${SIZE} bytes echoed, ${received.equals(sent) ? 'all right' : 'NOT what was sent'}`,
});
process.disconnect();
