// For the job "electron" of windows.yml: in the main process of Electron the packed
// package loads its binary, and an armed client talks to an armed server.

import { app } from 'electron';
import * as fastPath from 'loopback-fast-path';
import { use } from '../tarball/use.mjs';

let code = 1;
try {
  await use(fastPath);
  const { electron, node } = process.versions;
  console.log(`Electron ${electron}, Node ${node}: the binary is loaded, and armed sockets carried data`);
  code = 0;
} catch (error) {
  console.error(error);
}
app.exit(code);
