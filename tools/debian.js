// Debian 13 in folders of the cache, entered with chroot: its Wine runs every
// supported node.exe, its clang builds the Windows binaries, always the same one
// whatever this machine has, and the servers that tests talk to come from it. One
// folder for each of these, made when it is first needed.
// Mounts and processes live in namespaces of the command and end with it: a
// wineserver that outlived its command would open files for the next one as they
// were mounted for the last. What a command writes goes to memory, and away with it.

import { existsSync, mkdirSync } from 'node:fs';
import { cached, cacheFolder, fingerprint } from './cache.js';
import { installSystemPackages, runAsRoot, setUp } from './root.js';
import { root as checkout } from './run.js';

const MAKE_PREFIX = 'wineboot --init && wineserver --wait';

const SYSTEMS = {
  wine: { packages: ['wine', 'wine64'], finish: MAKE_PREFIX },
  wine32: { architecture: 'i386', packages: ['wine', 'wine64', 'wine32:i386'], finish: MAKE_PREFIX },
  builder: {
    packages: [
      ...['clang-19', 'lld-19', 'llvm-19', 'clang-format-19', 'clang-tidy-19', 'libclang-rt-19-dev'],
      ...['g++-mingw-w64-x86-64-posix', 'cmake', 'ninja-build', 'nodejs'],
    ],
  },
  servers: { packages: ['postgresql', 'redis-server', 'mariadb-server', 'rabbitmq-server', 'mosquitto'] },
  strangers: {
    packages: [
      ...['memcached', 'beanstalkd', 'nats-server', 'etcd-server', 'openssh-server', 'slapd'],
      ...['tinyproxy', 'nginx-light', 'haproxy'],
    ],
  },
};

const VARIABLES = {
  HOME: '/run',
  PATH: '/usr/lib/llvm-19/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  LANG: 'C.UTF-8',
  WINEDEBUG: '-all',
  WINEPREFIX: '/prefix',
  XDG_RUNTIME_DIR: '/run',
};

/** debootstrap's script for Debian 13: that of sid where it does not know the name yet. */
export const DEBOOTSTRAP_SCRIPT = existsSync('/usr/share/debootstrap/scripts/trixie')
  ? ''
  : '/usr/share/debootstrap/scripts/sid';

// $1: the folder, $2: debootstrap's script. Daemons start when a test starts them,
// and not when they are installed; a folder that is not whole is thrown away, so
// that dpkg need not wait for the disk.
const BASE = `
debootstrap --variant=minbase trixie "$1" "" $2
printf '#!/bin/sh\\nexit 101\\n' > "$1/usr/sbin/policy-rc.d"; chmod +x "$1/usr/sbin/policy-rc.d"
printf 'force-unsafe-io\\npath-exclude=/usr/share/doc/*\\npath-exclude=/usr/share/locale/*\\n' > "$1/etc/dpkg/dpkg.cfg.d/cache"
printf '127.0.0.1 localhost\\n::1 localhost\\n' > "$1/etc/hosts"
rm -rf "$1/var/cache/apt/archives"/*.deb`;

/** Of a system in the folder $root. */
export const MOUNT_SYSTEM = `
mount -t proc proc "$root/proc"; mount --rbind /dev "$root/dev"
mount -t tmpfs tmpfs "$root/run"; mount -t tmpfs tmpfs "$root/tmp"
[ ! -e /etc/resolv.conf ] || cp --remove-destination /etc/resolv.conf "$root/etc/resolv.conf"`;

// $1: the folder, $2: the base, $3: another architecture, $4: what is done at the end,
// then the packages.
const INSTALL = `
root=$1; architecture=$3; finish=$4
cp -a "$2/." "$root"; shift 4
${MOUNT_SYSTEM}
inside() { chroot "$root" env DEBIAN_FRONTEND=noninteractive "$@"; }
[ -z "$architecture" ] || inside dpkg --add-architecture "$architecture"
inside apt-get update
inside apt-get install -y --no-install-recommends "$@"
inside apt-get clean
inside env WINEPREFIX=/prefix WINEDEBUG=-all WINEDLLOVERRIDES=mscoree,mshtml= HOME=/run XDG_RUNTIME_DIR=/run sh -ec "$finish"`;

// $1: the folder, $2: the working directory, $3: how many pairs of folders, outside
// and inside, follow; then the command.
const ENTER = `
changes=$1/mnt; root=$changes/root
mount -t tmpfs tmpfs "$changes"
mkdir "$changes/upper" "$changes/work" "$root"
mount -t overlay overlay -o "lowerdir=$1,upperdir=$changes/upper,workdir=$changes/work" "$root"
cwd=$2; binds=$3; shift 3
${MOUNT_SYSTEM}
while [ "$binds" -gt 0 ]; do mkdir -p "$root$2"; mount --bind "$1" "$root$2"; binds=$((binds - 1)); shift 2; done
exec chroot "$root" sh -ec 'cd "$1"; shift; exec "$@"' sh "$cwd" "$@"`;

/** Makes a system unless it is there. @returns {Promise<string>} its folder */
export function install(name) {
  const { architecture = '', packages, finish = '' } = SYSTEMS[name];
  const recipe = fingerprint([BASE, INSTALL, architecture, ...packages, finish].join());
  return cached(`debian-13-${name}-${recipe}`, async (folder) => {
    if (!existsSync('/usr/sbin/debootstrap')) await installSystemPackages(['debootstrap', 'debian-archive-keyring']);
    const base = await cached(`debian-13-${fingerprint(BASE)}`, (folder) =>
      setUp('Setting up Debian 13 in the cache (once)', BASE, [folder, DEBOOTSTRAP_SCRIPT]),
    );
    const what = `Setting up ${packages.slice(0, 2).join(', ')}${packages.length > 2 ? ', …' : ''} in the cache (once)`;
    await setUp(what, INSTALL, [folder, base, architecture, finish, ...packages]);
  });
}

/** What runInside() answers where Wine's own server died, which says nothing about the command. */
export const WINE_CRASHED = -1;

const CRASH = 'wineserver crashed';

/**
 * Runs a command inside Debian 13 and prints what it prints.
 *
 * @param {string[]} command
 * @param {{ system?: keyof SYSTEMS, binds?: [string, string][], cwd?: string, env?: Record<string, string>,
 *   seconds?: number, quiet?: boolean, onOutput?: (text: string) => void, signal?: AbortSignal }} options
 *   `binds` are mounted in order; the checkout is at /checkout and the cache at
 *   /cache. With `quiet` only a failure is shown.
 * @returns {Promise<number>} its exit code, or WINE_CRASHED
 */
export async function runInside(command, options = {}) {
  const { system = 'builder', binds = [], cwd = '/checkout', env = {}, seconds = 600, quiet = false } = options;
  const folder = await install(system);
  mkdirSync(cacheFolder, { recursive: true });
  const variables = Object.entries({ ...VARIABLES, ...env }).map(([name, value]) => `${name}=${value}`);
  const mounts = [[checkout, '/checkout'], [cacheFolder, '/cache'], ...binds];
  const stop = new AbortController();
  options.signal?.addEventListener('abort', () => stop.abort());
  const limit = setTimeout(() => {
    console.log(`stopped after ${seconds} s`);
    stop.abort();
  }, seconds * 1000);
  const printed = [];
  let end = '';
  let crashed = false;
  const code = await runAsRoot(
    ENTER,
    [folder, cwd, String(mounts.length), ...mounts.flat(), 'env', '-i', ...variables, ...command],
    {
      signal: stop.signal,
      onOutput: (bytes) => {
        if (quiet) printed.push(bytes);
        else process.stdout.write(bytes);
        end += bytes.toString('latin1');
        options.onOutput?.(end);
        crashed ||= end.includes(CRASH);
        end = end.slice(-CRASH.length);
        // Programs that wait for the server would wait for ever.
        if (crashed) stop.abort();
      },
    },
  );
  clearTimeout(limit);
  if (quiet && code !== 0 && !options.signal?.aborted) process.stdout.write(Buffer.concat(printed));
  return crashed ? WINE_CRASHED : code;
}
