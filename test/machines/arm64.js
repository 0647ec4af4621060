// A machine with Debian 13 and Wine for arm64, emulated by qemu: Wine does not come
// up in qemu's emulation of single programs. Its disk is made once and kept in the
// cache; a run, of half a minute, leaves it as it was.

import {
  closeSync,
  copyFileSync,
  existsSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cached, cacheFolder, fingerprint } from '../../tools/cache.js';
import { MOUNT_SYSTEM } from '../../tools/debian.js';
import { installSystemPackages, setUp } from '../../tools/root.js';
import { run } from '../../tools/run.js';
import { fetchNode } from '../../tools/windows-node.js';

const NODE_VERSION = '26.7.0';
const QEMU = '/usr/bin/qemu-system-aarch64';
const BINFMT = '/usr/lib/binfmt.d/qemu-aarch64.conf';
const HOST_PROGRAMS = [QEMU, BINFMT, '/usr/sbin/debootstrap', '/usr/sbin/mke2fs'];
const HOST_PACKAGES = ['qemu-system-arm', 'qemu-user-static', 'debootstrap', 'debian-archive-keyring', 'e2fsprogs'];
const GUEST_PACKAGES = ['wine', 'wine64', 'iproute2', 'linux-image-arm64'];

// That of Debian 13, or of sid where debootstrap does not know the name yet.
const DEBOOTSTRAP_SCRIPT = existsSync('/usr/share/debootstrap/scripts/trixie')
  ? ''
  : '/usr/share/debootstrap/scripts/sid';

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

// $1: the folder, $2: debootstrap's script, $3: who owns the disk, $4: the first
// process; then the packages. The kernel runs programs of arm64 with qemu, also
// inside: the F of the registration says that the interpreter is the one outside.
const INSTALL = `
folder=$1; script=$2; owner=$3; init=$4; shift 4
root=$folder/root
binfmt=/proc/sys/fs/binfmt_misc
[ -e $binfmt/register ] || mount -t binfmt_misc binfmt_misc $binfmt
if ! [ -e $binfmt/qemu-aarch64 ]; then
  trap 'echo -1 > $binfmt/qemu-aarch64' EXIT
  cat ${BINFMT} > $binfmt/register
fi
debootstrap --arch=arm64 --variant=minbase trixie "$root" "" $script
# An initrd with what the emulated machine has, packed for speed.
mkdir -p "$root/etc/initramfs-tools/conf.d"
printf 'MODULES=list\\nCOMPRESS=gzip\\nCOMPRESSLEVEL=1\\n' > "$root/etc/initramfs-tools/conf.d/loopback"
printf 'virtio_pci\\nvirtio_blk\\next4\\n' > "$root/etc/initramfs-tools/modules"
unshare --mount sh -ec '
root=$1; shift
${MOUNT_SYSTEM}
chroot "$root" apt-get update
DEBIAN_FRONTEND=noninteractive chroot "$root" apt-get install -y --no-install-recommends "$@"
chroot "$root" apt-get clean' sh "$root" "$@"
printf '127.0.0.1 localhost\\n::1 localhost\\n' > "$root/etc/hosts"
printf %s "$init" > "$root/loopback-init"; chmod +x "$root/loopback-init"
for file in vmlinuz initrd.img; do cp "$root/boot/$file"-* "$folder/$file"; done
truncate --size 5G "$folder/disk"
/usr/sbin/mke2fs -q -t ext4 -d "$root" "$folder/disk"
rm -rf "$root"
chown -R "$owner" "$folder"`;

// On a machine that is busy with other work, Wine may tire of waiting for itself.
const MAKE_PREFIX = `
for attempt in 1 2 3; do
  if wine wineboot --init > /tmp/log 2>&1 && wineserver --wait; then echo prefix made; exit; fi
  cat /tmp/log
done`;

// node.exe takes no console of Unix for its output, but a file. Where the program
// hangs it is stopped before the machine is, so that what it printed is seen.
const RUN_PROGRAM = `
timeout --signal=KILL 180 wine node.exe program.mjs arm64 > output 2>&1
echo "node.exe: exit code $?"
cat output`;

const machineName = `arm64-machine-${fingerprint([...GUEST_PACKAGES, INSTALL, INIT, MAKE_PREFIX].join())}`;

/** Whether runOnArm64() has what it needs, and takes a minute instead of a quarter of an hour. */
export function isArm64Ready() {
  return [...HOST_PROGRAMS, join(cacheFolder, machineName)].every((file) => existsSync(file));
}

/**
 * Starts the machine and waits until it is off.
 *
 * @param {string} machine its folder
 * @param {string} job the folder that it finds; `script` is what it does there
 * @param {number} seconds that it may take
 * @param {string} keep qemu's option for what becomes of changes to the disk
 * @returns {Promise<string>} what it printed
 */
async function start(machine, job, script, seconds, keep) {
  const folder = mkdtempSync(join(tmpdir(), 'loopback-arm64-'));
  const [second, printed] = [join(folder, 'job.tar'), join(folder, 'printed')];
  const output = openSync(printed, 'w');
  try {
    writeFileSync(join(job, 'job.sh'), script);
    await run('tar', ['-cf', second, '-C', job, '.']);
    const drive = (file, option) => ['-drive', `if=virtio,format=raw,file=${file},${option}`];
    const hardware = [
      ...['-M', 'virt,gic-version=3', '-cpu', 'cortex-a76', '-smp', '2', '-m', '2048'],
      ...['-accel', 'tcg,thread=multi', '-nic', 'none', '-no-reboot'],
      ...['-display', 'none', '-monitor', 'none', '-serial', 'stdio'],
      ...['-kernel', join(machine, 'vmlinuz'), '-initrd', join(machine, 'initrd.img')],
      ...['-append', 'root=/dev/vda rw quiet panic=-1 console=ttyAMA0 init=/loopback-init'],
      ...[...drive(join(machine, 'disk'), keep), ...drive(second, 'readonly=on')],
    ];
    const stdio = ['ignore', output, output];
    await run('timeout', ['--signal=KILL', String(seconds), QEMU, ...hardware], { stdio });
    return readFileSync(printed, 'utf8');
  } catch (error) {
    throw new Error(`${error.message}\n${readFileSync(printed, 'utf8')}`);
  } finally {
    closeSync(output);
    rmSync(folder, { recursive: true });
  }
}

async function install() {
  if (!HOST_PROGRAMS.every((file) => existsSync(file))) await installSystemPackages(HOST_PACKAGES);
  return cached(machineName, async (folder) => {
    const owner = `${process.getuid()}:${process.getgid()}`;
    const what = 'Setting up an arm64 machine with Wine in the cache (once, about 12 minutes; 2 GB)';
    await setUp(what, INSTALL, [folder, DEBOOTSTRAP_SCRIPT, owner, INIT, ...GUEST_PACKAGES]);
    const job = mkdtempSync(join(tmpdir(), 'loopback-job-'));
    const printed = await start(folder, job, MAKE_PREFIX, 900, 'cache=unsafe');
    rmSync(job, { recursive: true });
    if (!printed.includes('prefix made')) throw new Error(`Wine did not come up on arm64:\n${printed}`);
  });
}

/** Runs program.mjs of a folder on node.exe for arm64. @returns {Promise<string>} what was printed */
export async function runOnArm64(folder) {
  const node = await fetchNode(NODE_VERSION, 'arm64');
  copyFileSync(join(node, 'bin/node.exe'), join(folder, 'node.exe'));
  return start(await install(), folder, RUN_PROGRAM, 300, 'snapshot=on');
}
