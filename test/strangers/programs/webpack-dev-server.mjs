// webpack-dev-server: a bundle, and what its WebSocket says after a change.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import webpack from 'webpack';
import Server from 'webpack-dev-server';
import { WebSocket } from 'ws';

const context = mkdtempSync(join(tmpdir(), 'strangers-'));
writeFileSync(join(context, 'main.js'), 'console.log("it is 1")');
const compiler = webpack({
  context,
  entry: './main.js',
  mode: 'development',
  devtool: false,
  stats: 'none',
  infrastructureLogging: { level: 'none' },
  watchOptions: { poll: 100, aggregateTimeout: 20 },
});
const server = new Server(
  { host: '127.0.0.1', port: 'auto', client: false, hot: true, setupExitSignals: false },
  compiler,
);
await server.start();
const { port } = server.server.address();
const get = async () =>
  (await (await fetch(`http://127.0.0.1:${port}/main.js`, { headers: { connection: 'close' } })).text()).match(
    /it is \d/,
  )[0];
console.log(await get());
const socket = new WebSocket(`ws://127.0.0.1:${port}/ws`, { headers: { origin: `http://127.0.0.1:${port}` } });
let wrote = false;
await new Promise((resolve) => {
  socket.on('message', async (data) => {
    if (JSON.parse(data).type !== 'ok') return;
    // The files that it has read are not watched at once.
    if (!wrote) setTimeout(() => writeFileSync(join(context, 'main.js'), 'console.log("it is 2")'), 1000);
    wrote = true;
    if ((await get()) === 'it is 2') resolve();
  });
});
console.log('it is 2');
socket.close();
await server.stop();
await new Promise((resolve) => compiler.close(resolve));
rmSync(context, { recursive: true, force: true });
