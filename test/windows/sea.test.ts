import { execFile } from 'node:child_process';
import { copyFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { build } from 'vite';
import { expect, test } from 'vitest';
import { scratchFolder } from '../support/scratch.js';
import { binaryFile } from '../support/sockets.js';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../..', import.meta.url));

const [major = 0] = process.versions.node.split('.').map(Number);

test.skipIf(major < 26)(
  'a single executable application with the addon as an asset [node --build-sea came with Node 25.5]',
  { timeout: 120_000 },
  async () => {
    const folder = scratchFolder();
    await build({
      root,
      logLevel: 'error',
      ssr: { noExternal: true },
      build: {
        ssr: fileURLToPath(new URL('../sea/app.mjs', import.meta.url)),
        outDir: folder,
        emptyOutDir: false,
        rolldownOptions: { output: { format: 'cjs', entryFileNames: 'app.cjs' } },
      },
    });
    copyFileSync(binaryFile, join(folder, 'addon.node'));
    writeFileSync(
      join(folder, 'sea.json'),
      JSON.stringify({
        main: join(folder, 'app.cjs'),
        output: join(folder, 'app.exe'),
        disableExperimentalSEAWarning: true,
        assets: { 'loopback-fast-path.node': join(folder, 'addon.node') },
      }),
    );
    await run(process.execPath, ['--build-sea', join(folder, 'sea.json')], { cwd: folder });
    const { stdout } = await run(join(folder, 'app.exe'), [], { cwd: tmpdir() });
    const outcome = process.env.LOOPBACK_TEST_SYSTEM === 'wine' ? 'WSAEOPNOTSUPP' : 'applied';
    expect(JSON.parse(stdout)).toEqual({
      isSea: true,
      data: 'pong',
      server: outcome,
      socket: outcome,
      probe: outcome === 'applied' ? true : outcome,
    });
  },
);
