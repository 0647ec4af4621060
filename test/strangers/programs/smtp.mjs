// nodemailer and smtp-server: mails through a pool, with STARTTLS.
import { once } from 'node:events';
import nodemailer from 'nodemailer';
import { SMTPServer } from 'smtp-server';

const mails = [];
const server = new SMTPServer({
  authOptional: true,
  async onData(stream, _session, done) {
    mails.push((await stream.setEncoding('utf8').toArray()).join('').match(/^Subject: (.*)\r$/m)[1]);
    done();
  },
});
server.listen(0, '127.0.0.1');
await once(server.server, 'listening');
const { port } = server.server.address();
const transport = nodemailer.createTransport({
  host: '127.0.0.1',
  port,
  pool: true,
  maxConnections: 2,
  tls: { rejectUnauthorized: false },
});
await Promise.all(
  [1, 2, 3].map((n) => transport.sendMail({ from: 'a@test', to: 'b@test', subject: `mail ${n}`, text: 'x' })),
);
transport.close();
console.log(mails.sort());
await new Promise((resolve) => server.close(resolve));
