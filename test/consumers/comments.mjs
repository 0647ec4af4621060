// Prints what comments say about each export of a file, of declarations or of source,
// and about each of its members: as JSON, by their names.

import ts from 'typescript';

const [file] = process.argv.slice(2);
const program = ts.createProgram([file], { module: ts.ModuleKind.NodeNext, skipLibCheck: true, types: [] });
const checker = program.getTypeChecker();
const said = {};

function note(name, symbol) {
  const about = [symbol.getDocumentationComment(checker), ...symbol.getJsDocTags().map(({ text }) => text ?? [])];
  said[name] = ts.displayPartsToString(about.flat());
}

for (const exported of checker.getExportsOfModule(checker.getSymbolAtLocation(program.getSourceFile(file)))) {
  const symbol = exported.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported;
  note(exported.name, symbol);
  for (const [name, member] of symbol.members ?? []) note(`${exported.name}.${name}`, member);
}
console.log(JSON.stringify(said));
