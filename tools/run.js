// Running other programs, with what they print shown and failure as an error.
// What is started here ends with whoever started it: a program, when this one
// does (on Linux the kernel sees to it, however this one ends); and this one, when
// npm does, whose shell would otherwise leave it behind.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

export const root = fileURLToPath(new URL('..', import.meta.url));
export const isWindows = process.platform === 'win32';
const isLinux = process.platform === 'linux';

/** The process that started this one, and who started that: npm starts a shell that starts this. */
function ancestors() {
  try {
    const [, parentOfParent] = readFileSync(`/proc/${process.ppid}/stat`, 'utf8').split(') ')[1].split(' ');
    return `${process.ppid} ${parentOfParent}`;
  } catch {
    return 'gone';
  }
}

if (isLinux && process.env.npm_lifecycle_event !== undefined) {
  const started = ancestors();
  setInterval(() => ancestors() !== started && process.kill(process.pid, 'SIGTERM'), 250).unref();
}

/** Runs a program to its end. @throws {Error} when it fails. */
export async function run(program, args, options = {}) {
  const [file, ...rest] = isLinux ? ['setpriv', '--pdeathsig', 'TERM', program, ...args] : [program, ...args];
  const child = spawn(file, rest, { cwd: root, stdio: 'inherit', ...options });
  const [status, signal] = await once(child, 'exit');
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${signal ?? `exit code ${status}`}`);
}

/** Runs the JavaScript program of an installed package. */
export function runPackage(file, args, options) {
  return run(process.execPath, [join(root, 'node_modules', file), ...args], options);
}

/**
 * A command line of npm. On Windows `npm` is a batch file, which only a shell starts, and
 * a shell reads the arguments anew: there Node runs npm's own program.
 *
 * @param {string[]} args
 * @returns {[string, string[]]}
 */
export function npmCommand(args) {
  if (!isWindows) return ['npm', args];
  const { npm_execpath: running = '' } = process.env;
  // Set by npm for what it runs; otherwise the npm that came with Node.
  const beside = join(dirname(process.execPath), 'node_modules', 'npm', 'bin', 'npm-cli.js');
  return [process.execPath, [basename(running) === 'npm-cli.js' ? running : beside, ...args]];
}

/** Runs npm. */
export function npm(args, options) {
  return run(...npmCommand(args), options);
}

/** Installs what a lockfile says; of what npm prints, errors. */
export function installLocked(folder, ...flags) {
  const quiet = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  return npm(['ci', ...quiet, ...flags], { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] });
}

/** Installs the development dependencies unless they are those of the lockfile. */
export async function installDependencies() {
  const installed = join(root, 'node_modules', '.package-lock.json');
  const wanted = join(root, 'package-lock.json');
  if (existsSync(installed) && statSync(installed).mtimeMs >= statSync(wanted).mtimeMs) return;
  console.log('Installing the development dependencies');
  await installLocked(root);
}

/** Makes dist/ from src/, unless dist/ is what was packed and shall be tested. */
export async function buildTypeScript() {
  if (process.env.LOOPBACK_TEST_DIST === 'packed') return;
  // Of what it prints, errors.
  await runPackage('rolldown/bin/cli.mjs', ['--config'], { stdio: ['ignore', 'ignore', 'inherit'] });
}

/** Whether a module is the program that was started. */
export function isMain(url) {
  return url === pathToFileURL(process.argv[1]).href;
}

export function readJson(file) {
  return JSON.parse(readFileSync(file, 'utf8'));
}
