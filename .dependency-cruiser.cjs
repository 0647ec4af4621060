// The layers of src/: a file uses what stands below it in this list, never what stands
// above, and nothing uses itself in a circle. docs/architecture.md shows the same.

const LAYERS = [
  'src/(cli|entries)/',
  'src/api[.]ts$',
  'src/core[.]ts$',
  'src/process-wide/',
  'src/(libraries/|fast-path[.]ts$)',
  'src/arming/',
  'src/native/',
];

// The command and the entry points use the package as dist/core.cjs holds it. The preload
// module carries what it needs to see the first socket.
const upward = LAYERS.slice(1).map((layer, index) => ({
  name: `below ${LAYERS[index]}`,
  comment: 'Nothing is imported upward.',
  severity: 'error',
  from: { path: layer },
  to: { path: LAYERS.slice(0, index + 1) },
}));

module.exports = {
  forbidden: [
    { name: 'no circle', severity: 'error', from: {}, to: { circular: true } },
    { name: 'not found', severity: 'error', from: {}, to: { couldNotResolve: true, pathNot: '[.](node|cjs)$' } },
    ...upward,
  ],
  options: { tsPreCompilationDeps: true, parser: 'swc', doNotFollow: { path: 'node_modules' } },
};
