// A reporter of node:test: a line for each test, its path of names and what became of it.

export default async function* report(source) {
  const path = [];
  for await (const { type, data } of source) {
    if (type === 'test:start') path.length = data.nesting;
    if (type === 'test:start') path[data.nesting] = data.name;
    if (type !== 'test:pass' && type !== 'test:fail') continue;
    const state = data.skip || data.todo ? 'skipped' : type.slice('test:'.length);
    yield `${JSON.stringify([[...path.slice(0, data.nesting), data.name].join(' > '), state])}\n`;
  }
}
