// `npm run test:ia32`: test/machines/program.mjs on the last 32-bit node.exe.

import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { cacheFolder } from './cache.js';
import { printAndExit, report, writePackage } from './machines.js';
import { buildTypeScript, installDependencies, isMain } from './run.js';
import { runInside } from './trixie.js';
import { fetchNode } from './windows-node.js';

// Node 24 has no build for 32-bit Windows any more.
const NODE_VERSION = '22.23.2';

/** @returns {Promise<{ passed: number, failed: number }>} */
export async function testIa32() {
  mkdirSync(cacheFolder, { recursive: true });
  const folder = mkdtempSync(join(cacheFolder, 'ia32-'));
  try {
    writePackage(folder);
    await runInside(['sh', '-c', 'wine /node/bin/node.exe program.mjs ia32 > output 2>&1'], {
      cwd: '/project',
      seconds: 120,
      binds: [
        [fetchNode(NODE_VERSION, 'ia32'), '/node'],
        [folder, '/project'],
      ],
    });
    return report(readFileSync(join(folder, 'output'), 'utf8'));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

if (isMain(import.meta.url)) {
  installDependencies();
  buildTypeScript();
  printAndExit(await testIa32());
}
