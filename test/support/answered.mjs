// For programs of their own process: under Wine, which refuses the ioctl, the
// recorder accepts it, so that what runs is what runs on Windows.

import { createRequire } from 'node:module';
import { probeLoopbackFastPath } from 'loopback-fast-path';

/** The recorder; undefined on Windows, which answers itself. */
export const recorder = process.env.LOOPBACK_TEST_SYSTEM === 'wine' ? install() : undefined;

function install() {
  // What is loaded by now is redirected.
  probeLoopbackFastPath();
  const recorder = createRequire(import.meta.url)('../../build/x64/Release/winsock-recorder.node');
  recorder.install();
  recorder.setRecording(false);
  recorder.setAnswers(recorder.calls.indexOf('WSAIoctl'), [], 0);
  return recorder;
}
