// basic-ftp and ftp-srv: a listener and a connection for each transfer.
// Not by context: it listens when one of its connections has data, where Node begins a new one.

import { tmpdir } from 'node:os';
import { Readable, Writable } from 'node:stream';
import { Client } from 'basic-ftp';
import FtpSrv from 'ftp-srv';
import getPort from 'get-port';

const port = await getPort({ host: '127.0.0.1' });
const quiet = { info() {}, error() {}, warn() {}, debug() {}, trace() {}, child: () => quiet };
const server = new FtpSrv({ url: `ftp://127.0.0.1:${port}`, pasv_url: '127.0.0.1', anonymous: true, log: quiet });
server.on('login', (_login, resolve) => resolve({ root: tmpdir() }));
await server.listen();
const client = new Client();
await client.access({ host: '127.0.0.1', port });
const name = `strangers-${process.pid}`;
await client.uploadFrom(Readable.from(['uploaded']), name);
console.log((await client.list()).some((file) => file.name === name));
const parts = [];
await client.downloadTo(new Writable({ write: (part, _encoding, done) => done(null, parts.push(part)) }), name);
console.log(Buffer.concat(parts).toString());
await client.remove(name);
client.close();
await server.close();
