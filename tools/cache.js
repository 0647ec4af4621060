// What is fetched or built once and used by every run: outside the checkout.

import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, renameSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

export const cacheFolder = join(
  process.env.LOOPBACK_FAST_PATH_CACHE ??
    join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'loopback-fast-path'),
);

/** A short name for what a cached folder was made from. */
export function fingerprint(text) {
  return createHash('sha256').update(text).digest('hex').slice(0, 12);
}

/** What this process makes right now: several of its parts may want the same. */
const making = new Map();

/**
 * A folder of the cache, made by `make(folder)` the first time. One that was
 * not made to the end is made again.
 */
export function cached(name, make) {
  if (!making.has(name)) making.set(name, makeOnce(name, make));
  return making.get(name);
}

async function makeOnce(name, make) {
  const folder = join(cacheFolder, name);
  if (existsSync(folder)) return folder;
  // Of its own, since two processes may want the same; the first to finish wins.
  const partial = `${folder}.${process.pid}.partial`;
  mkdirSync(partial, { recursive: true });
  await make(partial);
  try {
    renameSync(partial, folder);
  } catch (error) {
    if (!existsSync(folder)) throw error;
  }
  return folder;
}
