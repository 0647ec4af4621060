// `npm run build`: dist/ from src/. One CommonJS file, core.cjs, holds the package,
// and every entry point is a thin facade of it, so that import and require() meet in
// the same functions. Not minified: a debugger shows what is in src/, and doc comments
// are in the types.

import { readdirSync, rmSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { defineConfig } from 'rolldown';
import { dts } from 'rolldown-plugin-dts';

const ENTRIES = ['index', 'win32-x64', 'win32-arm64', 'win32-ia32', 'custom'];

/** For every file but core.cjs itself: src/core.ts is not taken in, but is core.cjs beside it. */
const coreStaysApart = {
  name: 'core-stays-apart',
  resolveId: (id) => (/\/core\.js$/.test(id) ? { id: 'dist/core.cjs', external: true } : null),
  renderChunk(code, { fileName }) {
    const path = relative(dirname(fileName), 'core.cjs').replaceAll('\\', '/');
    const facade = code.replaceAll('"dist/core.cjs"', `"${path.startsWith('.') ? path : `./${path}`}"`);
    // No line moves, so the source map still holds.
    return { code: facade, map: null };
  },
};

// Where Node imports a CommonJS file it looks for the names in it with a parser, which it
// starts for that: half of the time of an import. Required, the file needs none.
const coreIsRequired = {
  name: 'core-is-required',
  renderChunk(code) {
    const required = code.replace(
      /^import ([^;]+) from ("[^"]+core\.cjs");/,
      'const $1 = createRequire(import.meta.url)($2);',
    );
    if (required === code) throw new Error(`No import of core.cjs: ${code}`);
    return { code: `import { createRequire } from "node:module";\n${required}`, map: null };
  },
};

// Module by module, as in src/cli: its commands and the tests want parts of it.
const CLI = readdirSync('src/cli', { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => join(entry.parentPath, entry.name));
const MODULES = { preserveModules: true, preserveModulesRoot: 'src', extension: 'js' };

const types = () => dts({ oxc: true, emitDtsOnly: true, tsconfig: 'tsconfig.json' });

function config(format, input, { plugins = [coreStaysApart], extension, ...output } = {}) {
  const comments = { jsdoc: plugins.some(({ name }) => name?.includes('dts')) };
  const file = `[name].${extension ?? (format === 'cjs' ? 'cjs' : 'mjs')}`;
  return {
    input,
    plugins,
    platform: 'node',
    tsconfig: 'tsconfig.json',
    external: [/\.node$/, /\.cjs$/],
    // For test/coverage/coverage.js. `files` of package.json keeps them out of the tarball, and no file of dist/ names them.
    output: {
      ...{ dir: 'dist', format, entryFileNames: file, externalLiveBindings: false, comments, sourcemap: 'hidden' },
      ...output,
    },
  };
}

const TYPES = { sourcemap: false };
const withTypes = (input, extension, plugins) =>
  config('esm', input, { ...TYPES, plugins: [...plugins, types()], extension });

rmSync('dist', { recursive: true, force: true });

export default defineConfig([
  config('cjs', { core: 'src/core.ts' }, { plugins: [] }),
  withTypes({ core: 'src/core.ts' }, 'cts', []),
  config('cjs', { register: 'src/entries/register.ts' }),
  withTypes({ register: 'src/entries/register.ts' }, 'cts', [coreStaysApart]),
  ...ENTRIES.flatMap((name) => [
    config('cjs', { [name]: `src/entries/${name}.ts` }),
    withTypes({ [name]: `src/entries/${name}.ts` }, 'cts', [coreStaysApart]),
    config('esm', { [name]: `src/entries/${name}.mts` }),
    withTypes({ [name]: `src/entries/${name}.mts` }, 'mts', [coreStaysApart]),
  ]),
  config('esm', { node: 'src/entries/node.mts' }, { plugins: [coreStaysApart, coreIsRequired] }),
  config('esm', CLI, MODULES),
  config('esm', CLI, { ...MODULES, ...TYPES, plugins: [coreStaysApart, types()] }),
]);
