// Where the binary is looked for. Nothing native is loaded before it is needed.

import { createRequire } from 'node:module';
import { basename, isAbsolute, join, relative } from 'node:path';
import { wrongArgument } from './errors.js';

/** A place to load the binary from: what to call it in a message, and how. */
type Place = readonly [what: string, load: () => unknown];

let chosen: Place | undefined;
const carried: Place[] = [];

/**
 * Says how to load `prebuilds/win32-<arch>/loopback-fast-path.node`, before the
 * first call of another function.
 *
 * @param load Returns what the binary exports. Called once in a thread, when it
 * is needed; what it throws becomes `ERR_LOOPBACK_FAST_PATH_BINARY`.
 * @throws {TypeError} `ERR_INVALID_ARG_TYPE` when it is not a function.
 */
export function useBinary(load: () => unknown): void {
  if (typeof load !== 'function') throw wrongArgument('load', 'a function', load);
  chosen = ['the binary that the program carries', load];
}

/** For the entry points: a binary that a bundler finds by a literal require(). */
export function carryBinary(what: string, load: () => unknown): void {
  carried.push([what, load]);
}

/** Where to look, in order. */
export function binaryPlaces(): readonly Place[] {
  if (chosen !== undefined) return [chosen];
  return isBundled() ? carried : [...carried, ...INSTALLED];
}

const INSTALLED: readonly Place[] = [
  [
    'the prebuilt binary',
    () => requireFile(inPackage('prebuilds', `win32-${process.arch}`, 'loopback-fast-path.node')),
  ],
  ['a binary built from source', requireBuilt],
];

/**
 * Whether this code was moved into a bundle: then the folders around it are not
 * those of the package, and nothing is loaded from there.
 */
function isBundled(): boolean {
  return typeof __filename === 'undefined' || basename(__filename) !== 'core.cjs';
}

function inPackage(...path: string[]): string {
  return join(__dirname, '..', ...path);
}

/** Not the require() of this file, which bundlers would try to follow. */
function requireFile(file: string): unknown {
  return createRequire(__filename)(file);
}

/** The binary that node-gyp built in the package's folder. */
function requireBuilt(): unknown {
  const nodeGypBuild = requireFile('node-gyp-build') as { resolve(directory: string): string };
  const file = nodeGypBuild.resolve(inPackage());
  // node-gyp-build also looks where an environment variable says and beside the
  // executable. A library does not load code from there.
  const path = relative(inPackage(), file);
  if (path.startsWith('..') || isAbsolute(path)) throw new Error(`${file} is outside the package`);
  return requireFile(file);
}
