// The other process of a measurement: listens on what its arguments name, and
// says where. It ends with the process that started it.

import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import * as net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { enableLoopbackFastPath } from '../../core.js';
import type { ListenerId } from './plan.js';
import { serve } from './wire.js';

/** Where to connect to, or why there is no such listener. */
export type Address = { readonly port: number; readonly host: string } | { readonly path: string };
export type Addresses = { readonly [id in ListenerId]?: Address | { readonly error: string } };

async function listen(id: ListenerId): Promise<Address | { error: string }> {
  const server = net.createServer({ noDelay: true }, serve);
  try {
    if (id === 'tcp4-fast') enableLoopbackFastPath(server, { required: true });
    if (id === 'pipe') server.listen(pipePath());
    else server.listen(0, id === 'tcp6' ? '::1' : '127.0.0.1');
    await once(server, 'listening');
  } catch (error) {
    return { error: (error as Error).message };
  }
  const address = server.address();
  if (address === null || typeof address === 'string') return { path: address ?? '' };
  return { port: address.port, host: address.address };
}

function pipePath(): string {
  if (process.platform === 'win32') return `\\\\.\\pipe\\loopback-fast-path-bench-${process.pid}`;
  const folder = mkdtempSync(join(tmpdir(), 'loopback-'));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  return join(folder, 'socket');
}

// Ctrl-C goes to both processes; the one that prints decides.
process.on('SIGINT', () => {});
process.on('disconnect', () => process.exit());

const addresses: Record<string, Address | { error: string }> = {};
for (const id of process.argv.slice(2) as ListenerId[]) addresses[id] = await listen(id);
process.send?.(addresses);
