// Real servers for the tests of client libraries: Redis and PostgreSQL from Debian.

import { once } from 'node:events';
import { createServer } from 'node:net';
import { runInside } from './debian.js';

/** Starts a Redis on port $1 and a PostgreSQL on port $2, both on 127.0.0.1 and in memory. */
const SCRIPT = `
as_postgres() { setpriv --reuid=postgres --regid=postgres --clear-groups "$@"; }
bin=$(echo /usr/lib/postgresql/*/bin)
mkdir /run/postgresql-data; chown postgres /run/postgresql-data
as_postgres "$bin/initdb" --pgdata=/run/postgresql-data --auth=trust --no-sync --no-locale --encoding=UTF8
as_postgres "$bin/postgres" -D /run/postgresql-data -p "$2" -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off &
redis-server --port "$1" --bind 127.0.0.1 --save "" --appendonly no &
until "$bin/pg_isready" -q -h 127.0.0.1 -p "$2" && redis-cli -p "$1" ping | grep -q PONG; do sleep 0.05; done
echo ready
wait`;

/** Calls `action` while both run, with the environment that tells the tests where they are. */
export async function withServers(action) {
  const [redis, postgres] = (await Promise.all([freePort(), freePort()])).map(String);
  const stop = new AbortController();
  let onOutput;
  const ready = new Promise((resolve) => {
    onOutput = (text) => text.includes('ready\n') && resolve();
  });
  const options = { system: 'servers', cwd: '/', seconds: 3600, quiet: true, signal: stop.signal, onOutput };
  const ended = runInside(['sh', '-ec', SCRIPT, 'sh', redis, postgres], options);
  try {
    await Promise.race([ready, ended.then((code) => Promise.reject(new Error(`The servers: exit code ${code}`)))]);
    return await action({
      LOOPBACK_TEST_REDIS: `redis://127.0.0.1:${redis}`,
      LOOPBACK_TEST_POSTGRES: `postgres://postgres@127.0.0.1:${postgres}/postgres`,
    });
  } finally {
    stop.abort();
    await ended;
  }
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}
