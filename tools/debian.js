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

// Services that have nothing to do would keep the server for seconds; it writes the prefix as it ends.
const MAKE_PREFIX = 'wineboot --init && wineserver --kill';

const SYSTEMS = {
  // Wine depends on 160 packages more, for sound, video, cameras and windows. `packages` has
  // what it needs for node.exe: FreeType with a font, without which there is no desktop, comes
  // with fontconfig, and GnuTLS it takes where it finds it. `alone` is installed without its
  // dependencies.
  wine: {
    packages: ['libunwind8', 'libfontconfig1', 'libfreetype6', 'libgnutls30t64'],
    alone: ['wine', 'wine64', 'libwine', 'libz-mingw-w64'],
    finish: MAKE_PREFIX,
  },
  wine32: { architectures: ['amd64', 'i386'], packages: ['wine', 'wine64', 'wine32:i386'], finish: MAKE_PREFIX },
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

/** Of a system in the folder $root. */
export const MOUNT_SYSTEM = `
mount -t proc proc "$root/proc"; mount --rbind /dev "$root/dev"
mount -t tmpfs tmpfs "$root/run"; mount -t tmpfs tmpfs "$root/tmp"
[ ! -e /etc/resolv.conf ] || cp --remove-destination /etc/resolv.conf "$root/etc/resolv.conf"`;

// $1: the folder, $2: architectures, $3: packages, $4: packages that come alone, $5: what
// is done at the end. A folder that is not whole is thrown away, so that dpkg need not
// wait for the disk.
const INSTALL = `
root=$1; export ALONE=$4
mmdebstrap --mode=root --variant=essential --architectures="$2" --include="$3" --dpkgopt=force-unsafe-io \\
  --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/locale/*' --customize-hook='
    set -e; [ -n "$ALONE" ] || exit 0
    echo "I: installing $ALONE..."
    mkdir "$1/alone"; cd "$1/alone"
    APT_CONFIG=$MMDEBSTRAP_APT_CONFIG apt-get download $ALONE
    chroot "$1" sh -c "dpkg --force-depends --install /alone/*.deb"
    rm -r "$1/alone"' \\
  trixie "$root" 'deb http://deb.debian.org/debian trixie main'
printf '127.0.0.1 localhost\\n::1 localhost\\n' > "$root/etc/hosts"
[ -n "$5" ] || exit 0
${MOUNT_SYSTEM}
echo "I: $5..."
chroot "$root" env WINEPREFIX=/prefix WINEDEBUG=-all WINEDLLOVERRIDES=mscoree,mshtml= HOME=/run XDG_RUNTIME_DIR=/run sh -ec "$5"`;

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
  const { architectures = ['amd64'], packages, alone = [], finish = '' } = SYSTEMS[name];
  const what = [architectures.join(), packages.join(), alone.join(' '), finish];
  return cached(`debian-13-${name}-${fingerprint([INSTALL, ...what].join())}`, async (folder) => {
    if (!existsSync('/usr/bin/mmdebstrap')) await installSystemPackages(['mmdebstrap', 'debian-archive-keyring']);
    await setUp(`Setting up Debian 13 with ${name} in the cache (once)`, INSTALL, [folder, ...what]);
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
