// Running other programs, with what they print shown and failure as an error.

import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

export const root = fileURLToPath(new URL('..', import.meta.url));
export const isWindows = process.platform === 'win32';

/** Runs a program to its end. @throws {Error} when it fails. */
export function run(program, args, options = {}) {
  const { status, error, signal } = spawnSync(program, args, { cwd: root, stdio: 'inherit', ...options });
  if (error) throw error;
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${signal ?? `exit code ${status}`}`);
}

/** Runs the JavaScript program of an installed package. */
export function runPackage(file, args, options) {
  run(process.execPath, [join(root, 'node_modules', file), ...args], options);
}

/**
 * A command line of npm. On Windows `npm` is a batch file, which only a shell starts, and
 * a shell reads the arguments anew: there Node runs npm's own program.
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
  run(...npmCommand(args), options);
}

/** Installs the development dependencies unless they are those of the lockfile. */
export function installDependencies() {
  const installed = join(root, 'node_modules', '.package-lock.json');
  const wanted = join(root, 'package-lock.json');
  if (existsSync(installed) && statSync(installed).mtimeMs >= statSync(wanted).mtimeMs) return;
  npm(['ci', '--ignore-scripts', '--no-audit', '--no-fund']);
}

/** Makes dist/ from src/, unless dist/ is what was packed and shall be tested. */
export function buildTypeScript() {
  if (process.env.LOOPBACK_TEST_DIST === 'packed') return;
  runPackage('rolldown/bin/cli.mjs', ['--config', '--logLevel', 'warn']);
}

/** Whether a module is the program that was started. */
export function isMain(url) {
  return url === pathToFileURL(process.argv[1]).href;
}

export function readJson(file) {
  return JSON.parse(readFileSync(file, 'utf8'));
}
