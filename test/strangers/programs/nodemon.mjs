// nodemon: a server that is started, changed and started anew.
// Not by context: its sockets are those of other processes or threads.
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import getPort from 'get-port';
import nodemon from 'nodemon';

const cwd = mkdtempSync(join(tmpdir(), 'strangers-'));
const port = await getPort({ host: '127.0.0.1' });
const write = (said) =>
  writeFileSync(
    join(cwd, 'server.cjs'),
    `require('http').createServer((q, s) => s.end('${said}')).listen(${port}, '127.0.0.1')`,
  );
const until = async (wanted) => {
  for (;;) {
    const said = await fetch(`http://127.0.0.1:${port}`, { headers: { connection: 'close' } }).then(
      (answer) => answer.text(),
      () => '',
    );
    if (said === wanted) return said;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
};
write('first');
nodemon({
  cwd,
  script: join(cwd, 'server.cjs'),
  watch: [cwd],
  legacyWatch: true,
  pollingInterval: 100,
  delay: 10,
  stdout: false,
});
console.log(await until('first'));
write('second');
console.log(await until('second'));
nodemon.emit('quit');
nodemon.once('exit', () => process.exit());
