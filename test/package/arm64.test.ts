import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'vitest';
import { root } from '../../tools/run.js';
import { isArm64Ready, runOnArm64 } from '../machines/arm64.js';
import { testChecks, writeProgram } from '../support/machines.js';
import { temporaryFolder } from '../support/package.js';

/** The hash of the binary that passed last. */
const PASSED = join(root, 'test/machines/arm64.sha256');
const binary = readFileSync(join(root, 'prebuilds/win32-arm64/loopback-fast-path.node'));
const hash = createHash('sha256').update(binary).digest('hex');
const hasPassed = readFileSync(PASSED, 'utf8').trim() === hash;
const wanted = process.env.npm_lifecycle_event === 'test:arm64';

const TITLE = 'node.exe for arm64, under Wine in an emulated machine';

if (wanted || isArm64Ready() || !hasPassed) {
  const folder = temporaryFolder();
  writeProgram(folder);
  const printed = await runOnArm64(folder);

  describe(TITLE, () => {
    if (testChecks(printed)) writeFileSync(PASSED, `${hash}\n`);
  });
} else {
  const why = 'the binary is the one that passed, and npm run test:arm64 sets up a machine in 12 min';
  test(`${TITLE} [${why}]`, ({ skip }) => skip(why));
}
