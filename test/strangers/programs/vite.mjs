// Vite's dev server: a module, and the message over its WebSocket when a file changes.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer } from 'vite';
import { WebSocket } from 'ws';

const root = mkdtempSync(join(tmpdir(), 'strangers-'));
writeFileSync(join(root, 'index.html'), '<script type="module" src="/main.js"></script>');
writeFileSync(join(root, 'main.js'), 'export const n = 1;');
const server = await createServer({
  ...{ root, configFile: false, logLevel: 'silent', appType: 'mpa', optimizeDeps: { noDiscovery: true } },
  server: { host: '127.0.0.1', port: 0, watch: { usePolling: true, interval: 50 } },
});
await server.listen();
const { port } = server.httpServer.address();
const get = async () =>
  (await (await fetch(`http://127.0.0.1:${port}/main.js`, { headers: { connection: 'close' } })).text()).split('\n')[0];
console.log(await get());
const socket = new WebSocket(`ws://127.0.0.1:${port}/?token=${server.config.webSocketToken}`, 'vite-hmr');
const message = new Promise((resolve) => {
  socket.on('message', (data) => {
    const { type } = JSON.parse(data);
    // What it has served is not watched at once.
    if (type === 'connected') setTimeout(() => writeFileSync(join(root, 'main.js'), 'export const n = 2;'), 2000);
    else resolve(type);
  });
});
console.log(await message, await get());
socket.close();
await server.close();
rmSync(root, { recursive: true, force: true });
