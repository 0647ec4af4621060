// nodemon: a server that is started, changed and started anew.
// Not by context: its sockets are those of other processes or threads.
import { existsSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import getPort from 'get-port';
import nodemon from 'nodemon';

const cwd = mkdtempSync(join(tmpdir(), 'strangers-'));
const script = join(cwd, 'server.cjs');
const port = await getPort({ host: '127.0.0.1' });
const write = (said) =>
  writeFileSync(
    script,
    `const server = require('http').createServer((_, response) => response.end('${said}'));
    server.listen(${port}, '127.0.0.1', () => require('fs').writeFileSync('${said}.txt', ''));`,
  );
const said = async (said) => {
  while (!existsSync(join(cwd, `${said}.txt`))) await delay(50);
  return (await fetch(`http://127.0.0.1:${port}`, { headers: { connection: 'close' } })).text();
};
write('first');
nodemon({ cwd, script, watch: [script], legacyWatch: true, pollingInterval: 100, delay: 10, stdout: false });
console.log(await said('first'));
// It watches what it has started, but not at once.
await delay(2000);
write('second');
console.log(await said('second'));
nodemon.once('exit', () => process.exit());
nodemon.emit('quit');
