// `npm run api`: docs/api.report.md, everything that the entry points export, so
// that a review sees a change of it. `npm run docs`: pages about it in build/docs.
//
//   --check   write no report, and fail where it would differ
//   --docs    write the pages; a warning, such as a link to nowhere, is an error

import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, join } from 'node:path';
import { cached, fingerprint } from './cache.js';
import { buildTypeScript, installDependencies, isMain, npm, readJson, root, run } from './run.js';

const REPORT = 'docs/api.report.md';
const READERS = join(root, 'test', 'api');

function installReaders() {
  return cached(`api-${fingerprint(readFileSync(join(READERS, 'package-lock.json'), 'utf8'))}`, (folder) => {
    for (const file of ['package.json', 'package-lock.json']) copyFileSync(join(READERS, file), join(folder, file));
    npm(['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--silent'], { cwd: folder });
  });
}

/** The entry points with types. @returns {{ name: string, types: string }[]} */
function entryPoints() {
  const { name, exports } = readJson(join(root, 'package.json'));
  return Object.entries(exports)
    .map(([path, conditions]) => ({ path, types: conditions.require?.types ?? conditions.types }))
    .filter(({ types }) => types !== undefined)
    .map(({ path, types }) => ({ name: join(name, path).replaceAll('\\', '/'), types }));
}

/** The declarations that an entry point exports, without comments, by name. */
function declarations(ts, checker, source, printer) {
  const module = checker.getSymbolAtLocation(source);
  if (module.exports.has('export=')) {
    const type = checker.getTypeOfSymbol(checker.resolveExternalModuleSymbol(module));
    return [`export = ${checker.typeToString(type)};`];
  }
  return checker
    .getExportsOfModule(module)
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((exported) => {
      const symbol = exported.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported;
      return symbol.declarations.map((declaration) => {
        const node = ts.isVariableDeclaration(declaration) ? declaration.parent.parent : declaration;
        return printer.printNode(ts.EmitHint.Unspecified, node, node.getSourceFile());
      });
    });
}

function report() {
  const ts = createRequire(join(installReaders(), 'package.json'))('typescript');
  const entries = entryPoints();
  const files = entries.map(({ types }) => join(root, types));
  const options = { module: ts.ModuleKind.NodeNext, types: ['node'], typeRoots: [join(root, 'node_modules/@types')] };
  const program = ts.createProgram(files, options);
  const checker = program.getTypeChecker();
  const printer = ts.createPrinter({ removeComments: true, newLine: ts.NewLineKind.LineFeed });
  const known = new Map();
  const chapters = entries.map(({ name }, index) => {
    const source = program.getSourceFile(files[index]);
    const text = declarations(ts, checker, source, printer).join('\n\n');
    const same = known.get(text);
    if (same === undefined) known.set(text, name);
    return `## ${name}\n\n${same === undefined ? `\`\`\`ts\n${text}\n\`\`\`` : `The same as \`${same}\`.`}\n`;
  });
  return `# What is exported

Made by \`npm run api\` from the types of each entry point. A change here is a change of
the public surface.

${chapters.join('\n')}`;
}

/** @throws {Error} where the report is not up to date, or a type says nothing. */
export function checkApi() {
  const current = report();
  if (/\bany\b/.test(current)) throw new Error('There is an "any" in the public types.');
  if (readFileSync(join(root, REPORT), 'utf8').replaceAll('\r\n', '\n') !== current) {
    throw new Error(`The public surface is not that of ${REPORT}; npm run api writes it.`);
  }
}

/** Pages in build/docs. @throws {Error} where TypeDoc warns. */
export function writeDocs() {
  const sources = entryPoints().map(({ types }) => `src/entries/${basename(types, '.d.cts')}.ts`);
  const flags = ['--treatWarningsAsErrors', '--validation.invalidLink', '--logLevel', 'Warn', '--githubPages', 'false'];
  const typedoc = join(installReaders(), 'node_modules/typedoc/bin/typedoc');
  run(process.execPath, [
    typedoc,
    ...flags,
    '--disableGit',
    '--sourceLinkTemplate',
    '{path}',
    '--out',
    'build/docs',
    ...sources,
  ]);
}

if (isMain(import.meta.url)) {
  installDependencies();
  buildTypeScript();
  if (process.argv.includes('--docs')) writeDocs();
  else if (process.argv.includes('--check')) checkApi();
  else writeFileSync(join(root, REPORT), report());
}
