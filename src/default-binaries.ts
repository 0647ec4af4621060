// Where the package looks for its binary, unless a program has said otherwise by
// importing one of the entry points for that.

import binary from './binary.cjs';
import { useBinaries } from './native.js';

useBinaries([
  ['the prebuilt binary', () => binary.requirePrebuilt(process.arch)],
  ['a binary built from source', binary.requireBuilt],
]);
