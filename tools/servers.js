// Real servers for the tests of client libraries, from Debian. Each is on 127.0.0.1,
// keeps what it keeps in memory, and ends with whoever wanted it.

import { once, setMaxListeners } from 'node:events';
import { connect, createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { runInside } from './debian.js';

// Of each: the script that is the server, with free ports as $1, $2 and $3, where a client
// finds it, and, where it listens before it is `ready`, what it then prints.

/** Those that the tests in test/windows talk to. */
const FOR_TESTS = {
  REDIS: {
    start: 'exec redis-server --port "$1" --bind 127.0.0.1 --save "" --appendonly no',
    url: 'redis://127.0.0.1:$1',
  },
  POSTGRES: {
    start: `
      bin=$(echo /usr/lib/postgresql/*/bin)
      mkdir /run/data; chown postgres /run/data
      setpriv --reuid=postgres --regid=postgres --clear-groups "$bin/initdb" --pgdata=/run/data --auth=trust --no-sync --no-locale --encoding=UTF8
      exec setpriv --reuid=postgres --regid=postgres --clear-groups "$bin/postgres" -D /run/data -p "$1" \\
        -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off`,
    // It listens before it knows its users.
    ready: 'ready to accept connections',
    url: 'postgres://postgres@127.0.0.1:$1/postgres',
  },
  MYSQL: {
    start: `
      mkdir /run/data; chown mysql /run/data
      mariadb-install-db --user=mysql --datadir=/run/data --auth-root-authentication-method=normal --skip-test-db
      exec mariadbd --no-defaults --user=mysql --datadir=/run/data --bind-address=127.0.0.1 --port="$1" --socket=/run/data/socket --skip-name-resolve`,
    url: 'mysql://root@127.0.0.1:$1/mysql',
  },
  // Its own ports for Erlang's nodes, so that several run side by side.
  AMQP: {
    start: `
      mkdir /run/data; chown rabbitmq /run/data
      export HOME=/run/data RABBITMQ_MNESIA_BASE=/run/data RABBITMQ_LOGS=- RABBITMQ_ENABLED_PLUGINS_FILE=/run/data/plugins
      export RABBITMQ_NODENAME=rabbit@localhost RABBITMQ_NODE_IP_ADDRESS=127.0.0.1 RABBITMQ_NODE_PORT="$1"
      export RABBITMQ_DIST_PORT="$2" ERL_EPMD_PORT="$3" ERL_EPMD_ADDRESS=127.0.0.1
      exec setpriv --reuid=rabbitmq --regid=rabbitmq --clear-groups /usr/lib/rabbitmq/bin/rabbitmq-server`,
    url: 'amqp://guest:guest@127.0.0.1:$1',
  },
  MQTT: {
    start: `
      printf 'listener %s 127.0.0.1\\nallow_anonymous true\\nuser root\\n' "$1" > /run/mosquitto.conf
      exec mosquitto -c /run/mosquitto.conf`,
    url: 'mqtt://127.0.0.1:$1',
  },
};

/** Those that only the programs of test/strangers talk to. */
const FOR_STRANGERS = {
  MEMCACHED: {
    start: 'exec memcached -u nobody -l 127.0.0.1 -p "$1"',
    url: 'memcached://127.0.0.1:$1',
  },
  BEANSTALKD: {
    start: 'exec beanstalkd -l 127.0.0.1 -p "$1"',
    url: 'beanstalkd://127.0.0.1:$1',
  },
  NATS: {
    start: 'exec nats-server -a 127.0.0.1 -p "$1"',
    url: 'nats://127.0.0.1:$1',
  },
  ETCD: {
    start: `
      client=http://127.0.0.1:$1 peer=http://127.0.0.1:$2
      exec etcd --data-dir /run/data --unsafe-no-fsync --listen-client-urls "$client" --advertise-client-urls "$client" \\
        --listen-peer-urls "$peer" --initial-advertise-peer-urls "$peer" --initial-cluster "default=$peer"`,
    url: 'http://127.0.0.1:$1',
  },
  SSH: {
    start: `
      mkdir -p /run/sshd; ssh-keygen -q -t ed25519 -N '' -f /run/key; echo root:loopback | chpasswd -c SHA512
      exec /usr/sbin/sshd -D -e -f /dev/null -h /run/key -p "$1" -o ListenAddress=127.0.0.1 -o PermitRootLogin=yes -o UsePAM=no`,
    url: 'ssh://root:loopback@127.0.0.1:$1',
  },
  LDAP: {
    start: `
      mkdir /run/data
      printf '%s\\n' 'include /etc/ldap/schema/core.schema' 'modulepath /usr/lib/ldap' 'moduleload back_mdb' \\
        'database mdb' 'suffix "dc=test"' 'rootdn "cn=admin,dc=test"' 'rootpw loopback' 'directory /run/data' > /run/slapd.conf
      exec slapd -d 0 -f /run/slapd.conf -h "ldap://127.0.0.1:$1"`,
    url: 'ldap://127.0.0.1:$1',
  },
  TINYPROXY: {
    start: `
      printf 'Port %s\\nListen 127.0.0.1\\nAllow 127.0.0.1\\nDisableViaHeader Yes\\n' "$1" > /run/tinyproxy.conf
      exec tinyproxy -d -c /run/tinyproxy.conf`,
    url: 'http://127.0.0.1:$1',
  },
  // Both pass a request on to the port that its query names: /?port=8080.
  NGINX: {
    start: `
      mkdir -p /var/log/nginx /var/lib/nginx
      echo 'daemon off; pid /run/nginx.pid; events {} http { access_log off; server { listen 127.0.0.1:'"$1"'; location / {
        proxy_pass http://127.0.0.1:$arg_port; proxy_http_version 1.1;
        proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $http_connection; } } }' > /run/nginx.conf
      exec nginx -c /run/nginx.conf`,
    url: 'http://127.0.0.1:$1',
  },
  HAPROXY: {
    start: `
      printf '%s\\n' defaults ' mode http' ' timeout connect 5s' ' timeout client 9s' ' timeout server 9s' \\
        'frontend front' " bind 127.0.0.1:$1" ' default_backend back' \\
        'backend back' ' http-request set-dst-port url_param(port)' ' server node 127.0.0.1:0' > /run/haproxy.conf
      exec haproxy -db -f /run/haproxy.conf`,
    url: 'http://127.0.0.1:$1',
  },
};

/** Each with the system of debian.js that has it. */
const SERVERS = new Map([
  ...Object.entries(FOR_TESTS).map(([name, server]) => [name, { ...server, system: 'servers' }]),
  ...Object.entries(FOR_STRANGERS).map(([name, server]) => [name, { ...server, system: 'strangers' }]),
]);

/** Every one. */
export const ALL_SERVERS = [...SERVERS.keys()];

/** Calls `action` while servers run, with the environment that tells the tests where they are. */
export async function withServers(action, names = Object.keys(FOR_TESTS)) {
  const stop = new AbortController();
  setMaxListeners(0, stop.signal);
  const servers = await Promise.all(names.map((name) => start(name, stop.signal)));
  const failed = Promise.race(servers.map(({ ended }) => ended.then((problem) => Promise.reject(problem))));
  failed.catch(() => {});
  try {
    await Promise.race([Promise.all(servers.map(({ ready }) => ready)), failed]);
    return await action(Object.fromEntries(servers.map(({ name, url }) => [`LOOPBACK_TEST_${name}`, url])));
  } finally {
    stop.abort();
    await Promise.all(servers.map(({ ended }) => ended));
  }
}

async function start(name, signal) {
  const { system, start, url, ready } = SERVERS.get(name);
  const ports = await freePorts(3);
  let onOutput;
  const said = new Promise((resolve) => {
    onOutput = (text) => text.includes(ready) && resolve();
  });
  const options = { system, cwd: '/', seconds: 24 * 3600, quiet: true, signal, onOutput };
  const ended = runInside(['sh', '-ec', start, 'sh', ...ports.map(String)], options).then(
    (code) => new Error(`${name}: exit code ${code}`),
  );
  return {
    name,
    url: url.replace('$1', ports[0]),
    ended,
    ready: ready === undefined ? answers(ports[0], signal) : said,
  };
}

/** Until something listens there. */
async function answers(port, signal) {
  while (!signal.aborted) {
    const socket = connect(port, '127.0.0.1');
    const listens = await once(socket, 'connect').then(
      () => true,
      () => false,
    );
    socket.destroy();
    if (listens) return;
    await delay(50);
  }
}

async function freePorts(count) {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => server.address().port);
  for (const server of servers) server.close();
  await Promise.all(servers.map((server) => once(server, 'close')));
  return ports;
}
