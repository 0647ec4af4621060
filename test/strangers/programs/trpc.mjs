// tRPC on its own HTTP server, with batches.
import { createTRPCClient, httpBatchLink } from '@trpc/client';
import { initTRPC } from '@trpc/server';
import { createHTTPServer } from '@trpc/server/adapters/standalone';
import { closed, listening } from '../listening.mjs';

const t = initTRPC.create();
const router = t.router({
  hello: t.procedure.query(() => 'hello'),
  fail: t.procedure.mutation(() => Promise.reject(new Error('failed'))),
});
const server = createHTTPServer({ router });
const url = `http://127.0.0.1:${await listening(server)}`;
const client = createTRPCClient({ links: [httpBatchLink({ url, headers: { connection: 'close' } })] });
console.log(await Promise.all([client.hello.query(), client.hello.query()]));
await client.fail.mutate().catch(({ message }) => console.log(message));
server.closeIdleConnections();
await closed(server);
