export default {
  entry: './server.mjs',
  mode: 'production',
  target: 'node',
  output: { filename: 'server.cjs' },
  module: { rules: [{ test: /\.node$/, loader: 'node-loader' }] },
};
