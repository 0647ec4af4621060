// Puts the recorder between this process and Winsock.

const { existsSync } = require('node:fs');
const { join } = require('node:path');

// CMake's place, node-gyp's place.
const places = ['../../build/x64/Release/', '../recorder/build/Release/'];
const file = places.map((place) => join(__dirname, place, 'winsock-recorder.node')).find(existsSync);
if (file === undefined) throw new Error(`npm run build:native makes the recorder; not found in ${places.join(' or ')}`);

// The package's binary must be there to be redirected.
require(`../../prebuilds/win32-${process.arch}/loopback-fast-path.node`);
const binding = require(file);
if (binding.install() === 0) throw new Error('the recorder found nothing to redirect');

module.exports = binding;
