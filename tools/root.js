// What needs root, in namespaces of mounts and processes that end with whoever
// wanted it: scripts of sh, and packages of the system.

import { spawn } from 'node:child_process';
import { closeSync, existsSync, mkdtempSync, openSync, readSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const SUDO = process.getuid?.() === 0 ? [] : ['sudo'];
const NAMESPACES = ['unshare', '--mount', '--propagation', 'private', '--pid', '--fork', '--kill-child'];

// Standard input is a pipe of which this process holds the other end. Where that
// closes, in whichever way this process ends, everything in the namespace is killed.
const UNTIL_INPUT_ENDS = `
script=$1; shift
exec 3<&0 < /dev/null
(cat <&3 > /dev/null; kill -s KILL -- -1) &
sh -ec "$script" sh "$@" 3<&- & wait $!`;

/** A file without a name: programs under Wine take no Unix pipe for their output. */
function openOutput() {
  const folder = mkdtempSync(join(tmpdir(), 'loopback-output-'));
  const file = openSync(join(folder, 'output'), 'w+');
  rmSync(folder, { recursive: true });
  return file;
}

/**
 * Runs a script of sh, with `args` as $1, $2, …, as root.
 *
 * @param {string} script
 * @param {string[]} args
 * @param {{ onOutput?: (bytes: Buffer) => void, signal?: AbortSignal }} options who is told what it prints, and
 *   what ends it
 * @returns {Promise<number>} its exit code
 */
export function runAsRoot(script, args, { onOutput = () => {}, signal } = {}) {
  const output = openOutput();
  const [program, ...rest] = [...SUDO, ...NAMESPACES, 'sh', '-c', UNTIL_INPUT_ENDS, 'sh', script, ...args];
  const child = spawn(program, rest, { stdio: ['pipe', output, output] });
  signal?.addEventListener('abort', () => child.stdin.destroy());
  const buffer = Buffer.alloc(65536);
  let position = 0;
  const look = () => {
    for (let size = 1; size > 0; position += size) {
      size = readSync(output, buffer, 0, buffer.length, position);
      if (size > 0) onOutput(Buffer.from(buffer.subarray(0, size)));
    }
  };
  const timer = setInterval(look, 100);
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code) => {
      clearInterval(timer);
      look();
      closeSync(output);
      resolve(code ?? 1);
    });
  });
}

/** Does what takes a while as root, and tells now and then how far it is. @throws {Error} with what it printed. */
export async function setUp(what, script, args) {
  const start = Date.now();
  const seconds = () => `${Math.round((Date.now() - start) / 1000)} s`;
  const printed = [];
  console.log(`${what} …`);
  const timer = setInterval(() => {
    const line = Buffer.concat(printed)
      .toString()
      .trimEnd()
      .split(/[\r\n]/)
      .at(-1);
    console.log(`  ${seconds()}: ${line.slice(0, 80)}`);
  }, 10_000);
  const code = await runAsRoot(script, args, { onOutput: (bytes) => printed.push(bytes) });
  clearInterval(timer);
  if (code !== 0) throw new Error(`${what}: exit code ${code}\n${Buffer.concat(printed)}`);
  console.log(`${what}: ${seconds()}`);
}

/** Installs packages of Debian or Ubuntu. */
export async function installSystemPackages(names) {
  if (!existsSync('/usr/bin/apt-get')) throw new Error(`This needs Windows, Debian or Ubuntu (${names.join(', ')}).`);
  const script =
    'export DEBIAN_FRONTEND=noninteractive; apt-get update; apt-get install -y --no-install-recommends "$@"';
  await setUp(`Installing ${names.join(', ')} on this machine`, script, names);
}
