import { build } from 'esbuild';

const options = { bundle: true, platform: 'node', loader: { '.node': 'copy' } };

await build({ ...options, entryPoints: ['server.mjs'], outfile: 'dist/server.cjs' });
await build({ ...options, entryPoints: ['main.mjs'], outfile: 'dist/main.cjs' });

// An ES module has no require() unless it makes one.
const banner = `import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);`;
await build({
  ...options,
  entryPoints: ['server.mjs'],
  outfile: 'dist/server.mjs',
  format: 'esm',
  banner: { js: banner },
});
