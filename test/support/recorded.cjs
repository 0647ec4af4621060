// Preloaded (--require) into a process of its own: the system accepts the ioctl, or
// answers what LOOPBACK_TEST_ANSWER says (a list: the last one from then on), and what
// the process asked of Winsock is written to a file when it exits.

const { writeFileSync } = require('node:fs');
const { join } = require('node:path');
const { isMainThread } = require('node:worker_threads');

if (isMainThread) {
  const recorder = require('./recorder-binding.cjs');
  const answers = (process.env.LOOPBACK_TEST_ANSWER ?? '0').split(',').map(Number);
  recorder.setAnswers(recorder.calls.indexOf('WSAIoctl'), answers.slice(0, -1), answers.at(-1));
  process.on('exit', () => {
    const calls = recorder.take();
    const record = { calls, dropped: calls.dropped, openSockets: recorder.openSockets() };
    writeFileSync(join(process.env.LOOPBACK_TEST_CALLS, `${process.pid}.json`), JSON.stringify(record));
  });
}
