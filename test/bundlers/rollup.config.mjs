import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import commonjs from '@rollup/plugin-commonjs';
import { nodeResolve } from '@rollup/plugin-node-resolve';

/** Copies .node files, and loads them where require() of them is called: not before. */
const nativeFiles = {
  name: 'native-files',
  load(id) {
    if (!id.endsWith('.node')) return null;
    const file = this.emitFile({ type: 'asset', name: basename(id), source: readFileSync(id) });
    return `process.dlopen(module, require('node:url').fileURLToPath(import.meta.ROLLUP_FILE_URL_${file}));`;
  },
};

export default {
  input: 'server.mjs',
  output: { dir: 'dist', format: 'es', entryFileNames: '[name].mjs' },
  external: /^node:/,
  plugins: [nativeFiles, nodeResolve(), commonjs({ extensions: ['.js', '.cjs', '.node'] })],
};
