// BullMQ: a queue, a worker and their connections to Redis.
import { Queue, QueueEvents, Worker } from 'bullmq';

const { hostname: host, port } = new URL(process.env.LOOPBACK_TEST_REDIS);
const connection = { host, port: Number(port) };
const queue = new Queue('strangers', { connection });
const events = new QueueEvents('strangers', { connection });
await Promise.all([queue.waitUntilReady(), events.waitUntilReady()]);
const worker = new Worker('strangers', async ({ data }) => data.n ** 2, { connection, concurrency: 3 });
await worker.waitUntilReady();
const jobs = await queue.addBulk([1, 2, 3].map((n) => ({ name: 'square', data: { n } })));
console.log(await Promise.all(jobs.map((job) => job.waitUntilFinished(events))));
await worker.close();
await events.close();
await queue.obliterate({ force: true });
await queue.close();
