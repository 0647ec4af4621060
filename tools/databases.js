// Real servers for the tests of client libraries: Redis and PostgreSQL, which
// run inside the Debian of trixie.js beside a command and end with it.

import { once } from 'node:events';
import { createServer } from 'node:net';

/** Runs $@ with a Redis on port $1 and a PostgreSQL on port $2, both on 127.0.0.1 and in memory. */
const SCRIPT = `
redis=$1 postgres=$2; shift 2
as_postgres() { setpriv --reuid=postgres --regid=postgres --clear-groups "$@"; }
bin=$(echo /usr/lib/postgresql/*/bin)
data=/run/postgresql-data
mkdir "$data"; chown postgres "$data"
as_postgres "$bin/initdb" --pgdata="$data" --auth=trust --no-sync --no-locale --encoding=UTF8 > /run/databases.log
as_postgres "$bin/postgres" -D "$data" -p "$postgres" -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off >> /run/databases.log 2>&1 &
redis-server --port "$redis" --bind 127.0.0.1 --save "" --appendonly no >> /run/databases.log 2>&1 &
tries=0
until "$bin/pg_isready" -q -h 127.0.0.1 -p "$postgres" && redis-cli -p "$redis" ping | grep -q PONG; do
  tries=$((tries + 1)); if [ "$tries" -gt 200 ]; then cat /run/databases.log; exit 1; fi
  sleep 0.05
done
exec "$@"`;

/**
 * A command with both servers beside it, and what tells the tests where they are.
 *
 * @param {string[]} command
 * @returns {Promise<{ command: string[], env: Record<string, string> }>}
 */
export async function withDatabases(command) {
  const [redis, postgres] = (await Promise.all([freePort(), freePort()])).map(String);
  return {
    command: ['sh', '-ec', SCRIPT, 'sh', redis, postgres, ...command],
    env: {
      LOOPBACK_TEST_REDIS: `redis://127.0.0.1:${redis}`,
      LOOPBACK_TEST_POSTGRES: `postgres://postgres@127.0.0.1:${postgres}/postgres`,
    },
  };
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}
