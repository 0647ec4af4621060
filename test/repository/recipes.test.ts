// docs/recipes.md shows what runs in test/windows between "// recipe:" and "// end",
// with its imports, and as a whole program.

import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { root, runPackage } from '../../tools/run.js';

const read = (file: string) => readFileSync(join(root, file), 'utf8').replaceAll('\r', '');
const recipes = read('docs/recipes.md');

interface Recipe {
  /** The library, and for both ends of a connection which of them: "http server". */
  name: string;
  imports: string;
  code: string;
}

/** The import declarations that a piece of a test needs, in the order of its file. */
function importsOf(source: string, code: string): string {
  const names = code.replace(/'[^'\n]*'|`[^`]*`|\/\/.*/g, '');
  const isUsed = (name = '') => new RegExp(`(?<!\\.)\\b${name.replace(/^.* /, '')}\\b`).test(names);
  const declarations = [...source.matchAll(/^import ([^{}]*?|\{[^}]*\}) from ('.*');$/gm)];
  return declarations
    .flatMap(([, what = '', module]) => {
      if (!what.startsWith('{')) return isUsed(what) ? [`import ${what} from ${module};`] : [];
      const used = what
        .slice(1, -1)
        .split(',')
        .map((name) => name.trim())
        .filter((name) => name !== '' && isUsed(name));
      if (used.length === 0) return [];
      const line = `import { ${used.join(', ')} } from ${module};`;
      return [line.length <= 120 ? line : `import {\n  ${used.join(',\n  ')},\n} from ${module};`];
    })
    .join('\n');
}

const tested: Recipe[] = readdirSync(join(root, 'test/windows')).flatMap((file) => {
  const source = read(`test/windows/${file}`);
  const marked = source.matchAll(/^( *)\/\/ recipe: (.*)\n([\s\S]*?)\n *\/\/ end$/gm);
  return [...marked].map(([, indent = '', name = '', indented = '']) => {
    const code = indented.replaceAll(`\n${indent}`, '\n').slice(indent.length);
    return { name, code, imports: importsOf(source, code) };
  });
});

/** Without values that the test has from elsewhere: `const port = 8080;`. */
const withoutValues = (code: string) => code.replace(/^const \w+ = ('[^'\n]*'|\d+);\n+/gm, '').replace(/\n{2,}/g, '\n');

const blocksOf = (text: string) =>
  [...text.matchAll(/^```(js|ts)\n([\s\S]*?)\n```$/gm)].map(([, language, code = '']) => ({ language, code }));

test.each(tested)('the recipe for $name is the one that is tested, with its imports', ({ name, imports, code }) => {
  const library = name.replace(/ (server|client)$/, '');
  const section = recipes.split('\n## ').find((text) => text.split('\n')[0]?.split(', ').includes(library)) ?? '';
  const blocks = blocksOf(section).map((block) => withoutValues(block.code));
  expect(blocks).toContain(withoutValues(`${imports}\n${code}`));
});

test('every recipe is tested', () => {
  expect(blocksOf(recipes)).toHaveLength(tested.length);
});

test('recipes, and the examples of the README that import something, compile as they are', async () => {
  const folder = join(root, 'build/recipes');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const blocks = blocksOf(`${recipes}\n${read('README.md')}`).filter(({ code }) => code.startsWith('import '));
  for (const [index, { language, code }] of blocks.entries())
    writeFileSync(join(folder, `${index}.m${language}`), code);
  const compilerOptions = {
    checkJs: true,
    allowJs: true,
    noImplicitAny: false,
    declaration: false,
    skipLibCheck: true,
  };
  const config = {
    extends: '../../tsconfig.json',
    compilerOptions: { ...compilerOptions, isolatedDeclarations: false, noUnusedLocals: false },
    include: ['*'],
  };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config));
  expect(blocks.length).toBeGreaterThan(tested.length);
  await runPackage('typescript/bin/tsc', ['-p', folder]);
});
