import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe } from 'vitest';
import { runInside } from '../../tools/debian.js';
import { fetchNode } from '../../tools/windows-node.js';
import { testChecks, writeProgram } from '../support/machines.js';
import { temporaryFolder } from '../support/package.js';

// The last 32-bit node.exe: Node 24 has no build for it any more.
const NODE = '22.23.2';

const folder = temporaryFolder();
writeProgram(folder);
await runInside(['sh', '-c', 'wine /node/bin/node.exe program.mjs ia32 > output 2>&1'], {
  ...{ system: 'wine32', cwd: '/project', seconds: 120 },
  binds: [
    [await fetchNode(NODE, 'ia32'), '/node'],
    [folder, '/project'],
  ],
});
const printed = readFileSync(join(folder, 'output'), 'utf8');

describe(`node.exe ${NODE} for 32 bits, under Wine`, () => {
  testChecks(printed);
});
