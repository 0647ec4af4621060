// What entry points export, as text.

import { join } from 'node:path';

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

/**
 * A chapter for each entry point of a package.
 *
 * @param ts the compiler API
 * @param {string} root the folder of the package
 * @param {{ name: string, types: string }[]} entries
 */
export function report(ts, root, entries) {
  const files = entries.map(({ types }) => join(root, types));
  const options = { module: ts.ModuleKind.NodeNext, types: ['node'], typeRoots: [join(root, 'node_modules/@types')] };
  const program = ts.createProgram(files, options);
  const checker = program.getTypeChecker();
  const printer = ts.createPrinter({ removeComments: true, newLine: ts.NewLineKind.LineFeed });
  const known = new Map();
  const chapters = entries.map(({ name }, index) => {
    const text = declarations(ts, checker, program.getSourceFile(files[index]), printer).join('\n\n');
    const same = known.get(text);
    if (same === undefined) known.set(text, name);
    return `## ${name}\n\n${same === undefined ? `\`\`\`ts\n${text}\n\`\`\`` : `The same as \`${same}\`.`}\n`;
  });
  return `# What is exported

Made by \`npm run api\` from the types of each entry point. A change here is a change of
the public surface.

${chapters.join('\n')}`;
}
