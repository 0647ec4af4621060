// Preloaded (--require) into a process of its own: the system accepts the ioctl,
// and what the process asked of Winsock is written to a file when it exits.

const { writeFileSync } = require('node:fs');
const { join } = require('node:path');
const { isMainThread } = require('node:worker_threads');

if (isMainThread) {
  const recorder = require('./recorder-binding.cjs');
  recorder.setAnswers(recorder.calls.indexOf('WSAIoctl'), [], Number(process.env.LOOPBACK_TEST_ANSWER ?? 0));
  process.on('exit', () => {
    writeFileSync(join(process.env.LOOPBACK_TEST_CALLS, `${process.pid}.json`), JSON.stringify(recorder.take()));
  });
}
