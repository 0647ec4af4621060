// A Debian 13 in a folder of the cache, entered with chroot: its Wine runs every
// supported node.exe, its clang builds the Windows binaries, always the same one
// whatever this machine has, and the databases that tests talk to come from it.
// Mounts and processes live in namespaces of the command and end with it: a
// wineserver that outlived its command would open files for the next one as they
// were mounted for the last. So do changes to the Wine prefix, which is an overlay
// of the one made at set-up.

import { spawn } from 'node:child_process';
import { closeSync, copyFileSync, existsSync, mkdirSync, openSync, readSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { cached, cacheFolder, fingerprint } from './cache.js';
import { asRoot, DEBOOTSTRAP_SCRIPT, installSystemPackages, isRoot, runAsRoot } from './root.js';
import { root as checkout } from './run.js';

const PACKAGES = [
  'ca-certificates',
  'wine',
  'wine64',
  'wine32:i386',
  'clang-19',
  'lld-19',
  'llvm-19',
  'clang-format-19',
  'clang-tidy-19',
  'libclang-rt-19-dev',
  'g++-mingw-w64-x86-64-posix',
  'cmake',
  'ninja-build',
  'nodejs',
  'postgresql',
  'redis-server',
];

/** What the folder in the cache is named after: a change makes a new one. */
const RECIPE = fingerprint(`${PACKAGES.join()} with a Wine prefix`);

function install() {
  return cached(`trixie-${RECIPE}`, (folder) => {
    console.log('Setting up Debian 13 with Wine and clang in the cache (once, about a minute)');
    if (!existsSync('/usr/sbin/debootstrap')) installSystemPackages(['debootstrap', 'debian-archive-keyring']);
    runAsRoot('debootstrap', '--variant=minbase', 'trixie', folder, '', ...[DEBOOTSTRAP_SCRIPT].filter(Boolean));
    const inside = (command) => runAsRoot(...enter(folder, '', [], '/', ['sh', '-ec', command]));
    // Daemons start when a test starts them, and not when they are installed.
    inside('printf "#!/bin/sh\\nexit 101\\n" > /usr/sbin/policy-rc.d; chmod +x /usr/sbin/policy-rc.d');
    inside('dpkg --add-architecture i386; apt-get update -qq');
    inside(`apt-get install -y -qq --no-install-recommends ${PACKAGES.join(' ')}`);
    inside(
      'WINEPREFIX=/prefix WINEDEBUG=-all HOME=/run XDG_RUNTIME_DIR=/run wineboot --init && WINEPREFIX=/prefix wineserver --wait',
    );
    inside('apt-get clean; printf "127.0.0.1 localhost\\n::1 localhost\\n" > /etc/hosts');
  });
}

/**
 * The command line that runs `command` inside, with [outside, inside] folders
 * bound, after the lines of shell in `prepare`.
 */
function enter(folder, prepare, binds, cwd, command) {
  const script = [
    'root=$1; cwd=$2; binds=$3; shift 3',
    'mount -t proc proc "$root/proc"; mount --rbind /dev "$root/dev"',
    'mount -t tmpfs tmpfs "$root/run"; mount -t tmpfs tmpfs "$root/tmp"',
    prepare,
    'while [ "$binds" -gt 0 ]; do mkdir -p "$root$2"; mount --bind "$1" "$root$2"; binds=$((binds - 1)); shift 2; done',
    'chroot "$root" sh -ec \'cd "$1"; shift; exec "$@"\' sh "$cwd" "$@"',
  ].join('\n');
  return [
    ...['unshare', '--mount', '--propagation', 'private', '--pid', '--fork', '--kill-child', 'sh', '-ec', script, 'sh'],
    ...[folder, cwd, String(binds.length), ...binds.flat(), ...command],
  ];
}

/** What runInside() answers where Wine's own server died, which says nothing about the command. */
export const WINE_CRASHED = -1;

const CRASH = 'wineserver crashed';

/** What a run writes to the Wine prefix goes to memory, and away with it. */
const OVERLAY_PREFIX = [
  'mkdir "$root/run/upper" "$root/run/work"',
  'mount -t overlay overlay -o "lowerdir=$root/prefix,upperdir=$root/run/upper,workdir=$root/run/work" "$root/prefix"',
].join('\n');

/**
 * Runs a command inside Debian 13 and prints what it prints: to a file and from
 * there, because node.exe under Wine takes no Unix pipe.
 *
 * @param {string[]} command
 * @param {{ binds?: [string, string][], cwd?: string, env?: Record<string, string>, seconds?: number, quiet?: boolean }} options
 *   `binds` are mounted in order; the checkout is at /checkout and the cache at
 *   /cache. With `quiet` only a failure is shown.
 * @returns {Promise<number>} its exit code, or WINE_CRASHED
 */
export function runInside(command, { binds = [], cwd = '/checkout', env = {}, seconds = 600, quiet = false } = {}) {
  const folder = install();
  if (existsSync('/etc/resolv.conf') && isRoot) copyFileSync('/etc/resolv.conf', join(folder, 'etc/resolv.conf'));
  mkdirSync(cacheFolder, { recursive: true });
  const log = join(cacheFolder, `output-${process.pid}.log`);
  const output = openSync(log, 'w+');
  const variables = Object.entries({
    HOME: '/run',
    PATH: '/usr/lib/llvm-19/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    LANG: 'C.UTF-8',
    WINEDEBUG: '-all',
    WINEPREFIX: '/prefix',
    XDG_RUNTIME_DIR: '/run',
    ...env,
  }).map(([name, value]) => `${name}=${value}`);
  const [program, ...args] = asRoot(
    enter(folder, OVERLAY_PREFIX, [[checkout, '/checkout'], [cacheFolder, '/cache'], ...binds], cwd, [
      'env',
      '-i',
      ...variables,
      ...command,
    ]),
  );
  const child = spawn(program, args, { stdio: ['ignore', output, output] });

  const read = (from, use) => {
    const buffer = Buffer.alloc(65536);
    let position = from;
    for (let size = 1; size > 0; position += size) {
      size = readSync(output, buffer, 0, buffer.length, position);
      use(buffer.subarray(0, size));
    }
    return position;
  };
  let position = 0;
  let end = '';
  let crashed = false;
  const show = (bytes) => process.stdout.write(bytes);
  const look = () => {
    position = read(position, (bytes) => {
      if (!quiet) show(bytes);
      const text = end + bytes.toString('latin1');
      crashed ||= text.includes(CRASH);
      end = text.slice(-CRASH.length);
    });
    // Programs that wait for the server would wait for ever.
    if (crashed) child.kill('SIGKILL');
  };
  const timer = setInterval(look, 200);
  const limit = setTimeout(() => {
    console.log(`stopped after ${seconds} s`);
    child.kill('SIGKILL');
  }, seconds * 1000);
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code) => {
      clearInterval(timer);
      clearTimeout(limit);
      look();
      if (quiet && code !== 0) read(0, show);
      closeSync(output);
      rmSync(log);
      resolve(crashed ? WINE_CRASHED : (code ?? 1));
    });
  });
}
