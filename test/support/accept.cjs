// For --require: the system, as seen by the whole process and by those it starts,
// accepts the ioctl. The test recorder answers it, as in bench/arming.js.

const { existsSync } = require('node:fs');
const { join } = require('node:path');

// The package's binary must be there to be redirected.
require(`../../prebuilds/win32-${process.arch}/loopback-fast-path.node`);
const places = ['../../build/x64/Release', '../recorder/build/Release'];
const folder = places.find((place) => existsSync(join(__dirname, place, 'winsock-recorder.node')));
const recorder = require(`${folder}/winsock-recorder.node`);
recorder.install();
recorder.setRecording(false);
recorder.setAnswers(recorder.calls.indexOf('WSAIoctl'), [], 0);
