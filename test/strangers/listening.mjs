import { once } from 'node:events';

/** Has a server listen on 127.0.0.1, and tells the port. */
export async function listening(server) {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server.address().port;
}

/** Ends a server once its connections are over. */
export async function closed(server) {
  server.close();
  await once(server, 'close');
}
