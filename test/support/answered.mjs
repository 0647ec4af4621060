// For programs of their own process: under Wine, which refuses the ioctl, the
// recorder accepts it, so that what runs is what runs on Windows.

import { createRequire } from 'node:module';

/** The recorder; undefined on Windows, which answers itself. */
export const recorder =
  process.env.LOOPBACK_TEST_SYSTEM === 'wine' ? createRequire(import.meta.url)('./accept.cjs') : undefined;
