// Programs of test/windows/concurrency.test.ts, each in a process of its own: one
// that crashes must not take the tests with it. `node concurrency.mjs NAME` prints
// what came out as JSON.

import cluster from 'node:cluster';
import { once } from 'node:events';
import { cpSync } from 'node:fs';
import { createRequire } from 'node:module';
import net from 'node:net';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';

const root = new URL('../../', import.meta.url);
const wait = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

function start(task) {
  const worker = new Worker(new URL(import.meta.url), { workerData: task });
  worker.failed = once(worker, 'error').then(([error]) => error);
  worker.exited = new Promise((resolve) => worker.once('exit', resolve));
  return worker;
}

/** Sends a text to an armed echo server of its own and tells what came back, over and over. */
async function exchange(api, port) {
  const socket = net.connect(port, '127.0.0.1');
  api.enableLoopbackFastPath(socket);
  socket.write('ping');
  const [data] = await once(socket, 'data');
  const { state } = api.getLoopbackFastPathStatus(socket);
  socket.resetAndDestroy();
  await once(socket, 'close');
  return `${data} ${state}`;
}

async function echo(api, options = {}) {
  const server = net.createServer((socket) => socket.on('error', () => {}).pipe(socket));
  api.enableLoopbackFastPath(server);
  server.listen({ port: 0, host: '127.0.0.1', ...options });
  await once(server, 'listening');
  return server;
}

const tasks = {
  async exchange() {
    const api = await import('loopback-fast-path');
    const server = await echo(api);
    for (;;) parentPort.postMessage(await exchange(api, server.address().port));
  },
  /** Leaves behind what can be pending. */
  async pending() {
    const api = await import('loopback-fast-path');
    const server = await echo(api);
    const { port } = server.address();
    const armed = [
      net.connect({ port, host: 'nobody.invalid', lookup: () => {} }),
      net.connect({ port, host: '127.0.0.1' }),
      new net.Socket(),
      net.createServer(),
    ];
    for (const target of armed) api.enableLoopbackFastPath(target);
    const [, connecting] = armed;
    connecting.on('error', () => {});
    parentPort.postMessage('pending');
    if (workerData.exit) process.exit();
  },
  async load() {
    const api = await import('loopback-fast-path');
    const { supported, error } = api.probeLoopbackFastPath();
    parentPort.postMessage(supported ? 'accepted' : error.code);
  },
};

const programs = {
  /** 16 workers that connect, half of which are terminated in the middle and replaced. */
  async workers() {
    await import('./answered.mjs');
    const answers = {};
    const errors = [];
    const spawn = () => {
      const worker = start({ task: 'exchange' });
      worker.on('message', (answer) => {
        answers[answer] = (answers[answer] ?? 0) + 1;
      });
      worker.failed.then((error) => errors.push(String(error)));
      return worker;
    };
    const workers = Array.from({ length: 16 }, spawn);
    await Promise.all(workers.map((worker) => once(worker, 'message')));
    for (let round = 0; round < 2; ++round) {
      await wait(20);
      const doomed = workers.splice(0, 8);
      workers.push(...doomed.map(spawn));
      await Promise.all(doomed.map((worker) => worker.terminate()));
      await Promise.all(workers.map((worker) => once(worker, 'message')));
    }
    await Promise.all(workers.map((worker) => worker.terminate()));
    return { answers: Object.keys(answers), errors };
  },

  /** Environments that end, in both ways, while armed sockets wait. */
  async teardown() {
    await import('./answered.mjs');
    const codes = [];
    for (const exit of [false, true]) {
      const workers = Array.from({ length: 8 }, () => start({ task: 'pending', exit }));
      await Promise.all(workers.map((worker) => once(worker, 'message')));
      if (!exit) await Promise.all(workers.map((worker) => worker.terminate()));
      codes.push(...(await Promise.all(workers.map((worker) => worker.exited))));
    }
    // And this environment as well, right after the answer.
    const api = await import('loopback-fast-path');
    const socket = net.connect({ port: 1, host: 'nobody.invalid', lookup: () => {} });
    api.enableLoopbackFastPath(socket);
    api.enableLoopbackFastPath(net.createServer());
    return { codes };
  },

  /** The addon goes with the last worker that uses it, and comes again with the next. */
  async reload() {
    process.report.excludeNetwork = true;
    const isLoaded = () =>
      process.report.getReport().sharedObjects.some((file) => file.endsWith('loopback-fast-path.node'));
    const rounds = [];
    for (let round = 0; round < 2; ++round) {
      const workers = [start({ task: 'load' }), start({ task: 'load' })];
      const answers = (await Promise.all(workers.map((worker) => once(worker, 'message')))).flat();
      await Promise.all(workers.map((worker) => worker.exited));
      rounds.push({ answers, loadedAfterwards: isLoaded() });
    }
    return { rounds };
  },

  /** Two copies, each with its own binary, arm the same socket and the same server. */
  async copies() {
    const folder = new URL('build/copy-second/', root);
    for (const part of ['dist', 'prebuilds', 'package.json']) {
      cpSync(new URL(part, root), new URL(part, folder), { recursive: true });
    }
    const second = await import(new URL('dist/node.mjs', folder));
    // Loaded before the recorder looks for binaries.
    createRequire(folder)(`./prebuilds/win32-${process.arch}/loopback-fast-path.node`);
    const { recorder } = await import('./answered.mjs');
    const first = await import('loopback-fast-path');
    // Each asks the system once.
    for (const api of [first, second]) api.probeLoopbackFastPath();
    const states = (target) => [first, second].map((api) => api.getLoopbackFastPathStatus(target).state);

    const server = await echo(first);
    recorder?.setRecording(true);
    const socket = net.connect(server.address().port, '127.0.0.1');
    for (const api of [first, second, first]) api.enableLoopbackFastPath(socket);
    socket.write('ping');
    const [data] = await once(socket, 'data');
    const ioctls = recorder?.take().filter(({ call, code }) => call === 'WSAIoctl' && code === 0x98000010).length;
    socket.destroy();

    // One takes it back: the other stays.
    const other = net.connect(server.address().port, '127.0.0.1');
    for (const api of [first, second]) api.enableLoopbackFastPath(other);
    first.disableLoopbackFastPath(other);
    await once(other, 'connect');
    other.destroy();
    server.close();
    return { echoed: String(data), both: states(socket), ioctls, afterDisable: states(other) };
  },

  /** Workers of a cluster that are killed under load, and replaced. */
  async cluster() {
    cluster.schedulingPolicy = cluster.SCHED_NONE;
    const next = () => {
      const worker = cluster.fork();
      return new Promise((resolve) => worker.once('message', (message) => resolve([worker, message])));
    };
    const first = await Promise.all([next(), next(), next()]);
    const states = new Set(first.map(([, { state }]) => state));
    const [, { port }] = first[0];
    const seen = { echoed: 0, broken: 0 };
    let busy = true;
    const load = async () => {
      while (busy) {
        const socket = net.connect(port, '127.0.0.1');
        // One that a worker had taken when it was killed may never be answered.
        socket.setTimeout(1000, () => socket.destroy());
        socket.write('ping');
        const outcome = await Promise.race([
          once(socket, 'data').then(([data]) => String(data) === 'ping'),
          once(socket, 'close').then(() => false),
        ]).catch(() => false);
        seen[outcome ? 'echoed' : 'broken'] += 1;
        socket.destroy();
        await wait(1);
      }
    };
    const loads = Array.from({ length: 8 }, load);
    for (let round = 0; round < 3; ++round) {
      await wait(150);
      const [victim] = Object.values(cluster.workers);
      victim.process.kill('SIGKILL');
      const [, { state }] = await next();
      states.add(state);
    }
    const before = seen.echoed;
    await wait(150);
    busy = false;
    await Promise.all(loads);
    for (const worker of Object.values(cluster.workers)) worker.process.kill();
    return { states: [...states], echoed: before > 0, echoedAtTheEnd: seen.echoed > before };
  },
};

if (!isMainThread) {
  await tasks[workerData.task]();
} else if (cluster.isWorker) {
  await import('./answered.mjs');
  const api = await import('loopback-fast-path');
  const server = await echo(api);
  process.send({ port: server.address().port, state: api.getLoopbackFastPathStatus(server).state });
} else {
  const unhandled = [];
  process.on('unhandledRejection', (reason) => unhandled.push(String(reason)));
  const result = await programs[process.argv[2]]();
  console.log(JSON.stringify({ ...result, unhandled }));
  process.exit();
}
