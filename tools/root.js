// What needs root: chroot, mount, packages of the system.

import { existsSync } from 'node:fs';
import { run } from './run.js';

export const isRoot = process.getuid?.() === 0;

/** A command line as root. */
export function asRoot(command) {
  return isRoot ? command : ['sudo', ...command];
}

/** Runs a program as root; of what it prints, errors are shown. */
export function runAsRoot(...command) {
  const [program, ...args] = asRoot(command);
  run(program, args, {
    stdio: ['inherit', 'ignore', 'inherit'],
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  });
}

/** Installs packages of Debian or Ubuntu. */
export function installSystemPackages(names) {
  if (!existsSync('/usr/bin/apt-get')) throw new Error(`This needs Windows, Debian or Ubuntu (${names.join(', ')}).`);
  runAsRoot('apt-get', 'update', '-qq');
  runAsRoot('apt-get', 'install', '-y', '-qq', '--no-install-recommends', ...names);
}

/** debootstrap's script for Debian 13: that of sid where it does not know the name yet. */
export const DEBOOTSTRAP_SCRIPT = existsSync('/usr/share/debootstrap/scripts/trixie')
  ? ''
  : '/usr/share/debootstrap/scripts/sid';
