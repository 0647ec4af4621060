// CommonJS, because bundlers follow a literal require() of a .node file and
// nothing else. Requiring this file loads nothing native.

import path = require('node:path');

/** The binary shipped for Windows on an architecture, as Node names it. */
function requirePrebuilt(arch: string): unknown {
  switch (arch) {
    case 'x64':
      return require('../prebuilds/win32-x64/loopback-fast-path.node');
    case 'arm64':
      return require('../prebuilds/win32-arm64/loopback-fast-path.node');
    case 'ia32':
      return require('../prebuilds/win32-ia32/loopback-fast-path.node');
    default:
      throw new Error(`none is shipped for win32-${arch}`);
  }
}

/** The binary that node-gyp built in the package's folder. */
function requireBuilt(): unknown {
  const root = path.join(__dirname, '..');
  const nodeGypBuild: { resolve(directory: string): string } = require('node-gyp-build');
  const file = nodeGypBuild.resolve(root);
  // node-gyp-build also looks where an environment variable says and beside the
  // executable. A library does not load code from there.
  const relative = path.relative(root, file);
  if (relative.startsWith('..') || path.isAbsolute(relative)) throw new Error(`${file} is outside the package`);
  return require(file);
}

export = { requireBuilt, requirePrebuilt };
