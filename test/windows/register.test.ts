import { hasSubscribers } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import * as http from 'node:http';
import net from 'node:net';
import { join } from 'node:path';
import * as tls from 'node:tls';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import {
  disableLoopbackFastPath,
  enableLoopbackFastPath,
  getLoopbackFastPathStatus,
  registerLoopbackFastPath,
} from 'loopback-fast-path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { root, runFile, runProgram } from '../support/programs.js';
import {
  answer,
  connectStories,
  fastPathCalls,
  hideHostFunction,
  listenStories,
  take,
  useRecorder,
} from '../support/recorder.js';
import { scratchFolder } from '../support/scratch.js';
import { boundHandle, certificate, closing, echo, exchange, listening } from '../support/sockets.js';

useRecorder();

const ARMED_CONNECT = ['bind 0.0.0.0', 'fast path on', 'ConnectEx 127.0.0.1'];
const PLAIN_CONNECT = ['bind 0.0.0.0', 'ConnectEx 127.0.0.1'];
const ARMED_LISTEN = ['bind 127.0.0.1', 'fast path on', 'listen'];

/** Registers for the time of a test. */
function registered(...args: Parameters<typeof registerLoopbackFastPath>): () => void {
  const unregister = registerLoopbackFastPath(...args);
  onTestFinished(unregister);
  return unregister;
}

describe('registered, without a call for the one socket', () => {
  test('preloaded, it is asked before what the program registers later', async () => {
    const program = `
      import net from 'node:net';
      import { registerLoopbackFastPath } from 'loopback-fast-path';
      registerLoopbackFastPath({ shouldApply: () => { console.log('asked'); return true; } });
      const server = net.createServer((socket) => socket.end()).listen(0, '127.0.0.1', () => {
        net.connect(server.address().port, '127.0.0.1').resume().on('close', () => server.close());
      });`;
    const outcome = await runProgram(program, { flags: ['--require', 'loopback-fast-path/register'] });
    expect(outcome).toMatchObject({ code: 0, stdout: '' });
    expect(outcome.connects).toEqual([ARMED_CONNECT]);
  });

  test('a server on a handle that is bound already', async () => {
    const handle = boundHandle();
    registered();
    const server = net.createServer();
    await listening(server, handle);
    expect(getLoopbackFastPathStatus(server)).toEqual({ state: 'applied', family: 4, address: '127.0.0.1' });
  });

  test.each<[string, (port: number) => net.Socket]>([
    ['net.connect()', (port) => net.connect(port, '127.0.0.1')],
    ['new net.Socket().connect()', (port) => new net.Socket().connect({ port, host: '127.0.0.1' })],
    ['a name', (port) => net.connect({ port, host: 'localhost', family: 4 })],
    [
      'a lookup that answers at once',
      (port) => net.connect({ port, host: 'db.test', family: 4, lookup: (_h, _o, done) => done(null, '127.0.0.1', 4) }),
    ],
    ['localAddress', (port) => net.connect({ port, host: '127.0.0.1', localAddress: '127.0.0.1' })],
  ])('a client is armed, once: %s (B3)', async (what, connect) => {
    registered();
    const port = await echo();
    expect(listenStories(take())).toEqual([ARMED_LISTEN]);
    const socket = closing(connect(port));
    await once(socket, 'connect');
    const bound = what === 'localAddress' ? 'bind 127.0.0.1' : 'bind 0.0.0.0';
    expect(connectStories(take())).toEqual([[bound, 'fast path on', 'ConnectEx 127.0.0.1']]);
    expect(getLoopbackFastPathStatus(socket)).toEqual({ state: 'applied', family: 4, address: '127.0.0.1' });
    expect(await exchange(socket)).toBe('ping');
  });

  test('tls, both ends', async () => {
    registered();
    const port = await listening(tls.createServer(certificate, (socket) => socket.pipe(socket)));
    const socket = closing(tls.connect({ port, host: '127.0.0.1', ca: certificate.cert, servername: 'localhost' }));
    await once(socket, 'secureConnect');
    expect(await exchange(socket)).toBe('ping');
    const calls = take();
    expect([listenStories(calls), connectStories(calls)]).toEqual([[ARMED_LISTEN], [ARMED_CONNECT]]);
    expect(fastPathCalls(calls)).toHaveLength(2);
  });

  test('http and fetch', async () => {
    registered();
    const port = await listening(http.createServer((_request, response) => response.end('pong')));
    const agent = new http.Agent({ keepAlive: false });
    const [response] = (await once(http.get({ port, host: '127.0.0.1', agent }), 'response')) as [http.IncomingMessage];
    expect(await response.setEncoding('utf8').toArray()).toEqual(['pong']);
    expect(await (await fetch(`http://127.0.0.1:${port}`, { headers: { connection: 'close' } })).text()).toBe('pong');
    const calls = take();
    expect([listenStories(calls), connectStories(calls)]).toEqual([[ARMED_LISTEN], [ARMED_CONNECT, ARMED_CONNECT]]);
    expect(fastPathCalls(calls)).toHaveLength(3);
  });

  test('a socket that connects again, a server that listens again', async () => {
    registered();
    const server = net.createServer((socket) => socket.end());
    for (let i = 0; i < 2; ++i) {
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      server.close();
      await once(server, 'close');
    }
    const port = await echo();
    expect(listenStories(take())).toEqual([ARMED_LISTEN, ARMED_LISTEN, ARMED_LISTEN]);
    const socket = closing(net.connect(port, '127.0.0.1'));
    await once(socket, 'connect');
    socket.end().resume();
    await once(socket, 'close');
    socket.connect(port, '127.0.0.1');
    await once(socket, 'connect');
    expect(connectStories(take())).toEqual([ARMED_CONNECT, ARMED_CONNECT]);
  });

  test('a named pipe is left alone', async () => {
    registered();
    const path = `\\\\.\\pipe\\loopback-fast-path-${process.pid}`;
    const server = net.createServer((socket) => socket.pipe(socket));
    await listening(server, path);
    const socket = closing(net.connect(path));
    await once(socket, 'connect');
    expect(await exchange(socket)).toBe('ping');
    for (const target of [server, socket]) {
      expect(getLoopbackFastPathStatus(target)).toEqual({ state: 'skipped', reason: 'not-tcp' });
    }
    expect(fastPathCalls(take())).toEqual([]);
  });

  test('a server on every address is left alone, without a warning', async () => {
    registered();
    const warnings: Error[] = [];
    const listener = (warning: Error) => warnings.push(warning);
    process.on('warning', listener);
    onTestFinished(() => void process.off('warning', listener));
    const server = net.createServer();
    await listening(server, 0);
    await new Promise(setImmediate);
    expect(getLoopbackFastPathStatus(server)).toEqual({ state: 'skipped', reason: 'ipv6' });
    expect(warnings).toEqual([]);
  });
});

describe('a call for one socket takes precedence', () => {
  test('required stays required', async () => {
    answer(10022);
    registered();
    const socket = new net.Socket();
    enableLoopbackFastPath(socket, { required: true });
    socket.connect(await echo(), '127.0.0.1');
    const [error] = await once(socket, 'error');
    expect(error).toMatchObject({ code: 'WSAEINVAL' });
  });

  test('disabled stays disabled, also what was never enabled', async () => {
    registered();
    const server = net.createServer((socket) => socket.pipe(socket));
    disableLoopbackFastPath(server);
    const port = await listening(server);
    const socket = closing(new net.Socket());
    disableLoopbackFastPath(socket);
    socket.connect(port, '127.0.0.1');
    await once(socket, 'connect');
    const calls = take();
    expect(fastPathCalls(calls)).toEqual([]);
    expect(getLoopbackFastPathStatus(server)).toEqual({ state: 'off' });
    expect(getLoopbackFastPathStatus(socket)).toEqual({ state: 'off' });
  });

  test('enabled as well is one ioctl', async () => {
    registered();
    registered();
    const server = net.createServer((socket) => socket.pipe(socket));
    enableLoopbackFastPath(server);
    const port = await listening(server);
    const before = closing(new net.Socket());
    enableLoopbackFastPath(before);
    before.connect(port, '127.0.0.1');
    const after = closing(net.connect(port, '127.0.0.1'));
    enableLoopbackFastPath(after);
    await Promise.all([once(before, 'connect'), once(after, 'connect')]);
    const calls = take();
    expect(fastPathCalls(calls)).toHaveLength(3);
    expect(connectStories(calls)).toEqual([ARMED_CONNECT, ARMED_CONNECT]);
  });
});

describe('shouldApply', () => {
  test('is asked with side, address and port, and only for loopback', async () => {
    const asked: unknown[] = [];
    const wanted = await echo();
    const unwanted = await echo();
    registered({
      shouldApply: (endpoint) => {
        asked.push(endpoint);
        return endpoint.side === 'client' && endpoint.port === wanted;
      },
    });
    take();
    const server = net.createServer();
    const port = await listening(server);
    const sockets = [wanted, unwanted].map((port) => closing(net.connect(port, '127.0.0.1')));
    await Promise.all(sockets.map((socket) => once(socket, 'connect')));
    expect(asked).toEqual([
      { side: 'server', address: '127.0.0.1', port },
      { side: 'client', address: '127.0.0.1', port: wanted },
      { side: 'client', address: '127.0.0.1', port: unwanted },
    ]);
    expect(connectStories(take())).toEqual([ARMED_CONNECT, PLAIN_CONNECT]);
    expect(getLoopbackFastPathStatus(server)).toEqual({ state: 'skipped', reason: 'declined' });
  });

  test.each<[string, () => unknown, unknown]>([
    [
      'throws',
      () => {
        throw new RangeError('no');
      },
      new RangeError('no'),
    ],
    ['answers with a promise', () => Promise.resolve(true), undefined],
  ])('that %s is a failure, and the connection is made', async (_what, shouldApply, cause) => {
    const port = await echo();
    registered({ shouldApply: shouldApply as () => boolean });
    const socket = closing(net.connect(port, '127.0.0.1'));
    await once(socket, 'connect');
    expect(await exchange(socket)).toBe('ping');
    expect(getLoopbackFastPathStatus(socket)).toMatchObject({
      state: 'failed',
      error: { code: 'ERR_LOOPBACK_FAST_PATH_SHOULD_APPLY', ...(cause === undefined ? {} : { cause }) },
    });
    expect(fastPathCalls(take())).toEqual([]);
  });

  test('is an option of one socket as well', async () => {
    const port = await echo();
    const socket = closing(net.connect(port, '127.0.0.1'));
    enableLoopbackFastPath(socket, { shouldApply: () => false });
    await once(socket, 'connect');
    expect(getLoopbackFastPathStatus(socket)).toEqual({ state: 'skipped', reason: 'declined' });
  });
});

describe('taken back', () => {
  test('net is as it was found', async () => {
    const found = () => [
      Object.getOwnPropertyDescriptor(net.Socket.prototype, 'connect'),
      Object.getOwnPropertyDescriptor(net, '_createServerHandle'),
      hasSubscribers('net.client.socket'),
      hasSubscribers('tracing:net.server.listen:asyncStart'),
    ];
    const before = found();
    const unregister = registered();
    expect(found()).not.toEqual(before);
    unregister();
    unregister();
    expect(found()).toEqual(before);
    const socket = closing(net.connect(await echo(), '127.0.0.1'));
    await once(socket, 'connect');
    expect(fastPathCalls(take())).toEqual([]);
    expect(getLoopbackFastPathStatus(socket)).toEqual({ state: 'off' });
  });

  test('where somebody has wrapped it since, that stays and does no more', async () => {
    const unregister = registered();
    const ours = net.Socket.prototype.connect;
    net.Socket.prototype.connect = function (this: net.Socket, ...args: unknown[]) {
      return Reflect.apply(ours, this, args) as net.Socket;
    };
    const theirs = net.Socket.prototype.connect;
    onTestFinished(() => {
      net.Socket.prototype.connect = ours;
    });
    unregister();
    expect(net.Socket.prototype.connect).toBe(theirs);
    const socket = closing(net.connect(await echo(), '127.0.0.1'));
    await once(socket, 'connect');
    expect(await exchange(socket)).toBe('ping');
    expect(fastPathCalls(take())).toEqual([]);
  });

  test('another registration is not touched', async () => {
    const first = registered();
    registered();
    first();
    const socket = closing(net.connect(await echo(), '127.0.0.1'));
    await once(socket, 'connect');
    expect(connectStories(take())).toEqual([ARMED_CONNECT]);
  });
});

/** A client and a server of each process, thread and child; knows nothing of this package. */
const PROGRAM = `
  import { spawnSync } from 'node:child_process';
  import net from 'node:net';
  import { fileURLToPath } from 'node:url';
  import { isMainThread, Worker } from 'node:worker_threads';
  const server = net.createServer((socket) => socket.pipe(socket)).listen(0, '127.0.0.1', () => {
    const socket = net.connect(server.address().port, '127.0.0.1', () => socket.end('ping'));
    socket.on('data', (data) => console.log(String(data))).on('close', () => server.close());
  });
  if (isMainThread && process.argv[2] === 'worker') new Worker(fileURLToPath(import.meta.url));
  if (process.argv[2] === 'child') {
    spawnSync(process.execPath, [fileURLToPath(import.meta.url)], { stdio: 'inherit' });
  }`;

const PRELOAD = 'loopback-fast-path/register';

describe('the preload module', () => {
  test.each<[string, { flags?: string[]; args?: string[]; env?: Record<string, string> }, number]>([
    ['--import', { flags: ['--import', PRELOAD] }, 1],
    ['--require', { flags: ['--require', PRELOAD] }, 1],
    ['NODE_OPTIONS', { env: { NODE_OPTIONS: `--import=${PRELOAD}` } }, 1],
    ['both, twice', { flags: ['--import', PRELOAD, '--require', PRELOAD], env: { NODE_OPTIONS: `-r ${PRELOAD}` } }, 1],
    ['a worker', { flags: ['--import', PRELOAD], args: ['worker'] }, 2],
    ['a worker, --require', { flags: ['--require', PRELOAD], args: ['worker'] }, 2],
  ])('arms both ends with %s', async (_how, how, times) => {
    const outcome = await runProgram(PROGRAM, how);
    expect(outcome).toMatchObject({ code: 0, stdout: 'ping\n'.repeat(times) });
    expect(outcome.connects).toEqual(Array(times).fill(ARMED_CONNECT));
    expect(outcome.listens).toEqual(Array(times).fill(ARMED_LISTEN));
  });

  test('arms children that inherit NODE_OPTIONS', async () => {
    const recorder = '-r ./test/support/recorded.cjs';
    const outcome = await runProgram(PROGRAM, {
      args: ['child'],
      env: { NODE_OPTIONS: `${recorder} -r ${PRELOAD}` },
      record: false,
    });
    expect(outcome).toMatchObject({ code: 0, stdout: 'ping\nping\n' });
    expect(outcome.connects).toEqual([ARMED_CONNECT, ARMED_CONNECT]);
    expect(outcome.listens).toEqual([ARMED_LISTEN, ARMED_LISTEN]);
  });

  test('exports unregister()', async () => {
    const outcome = await runProgram(
      `const { unregister } = await import(process.env.REGISTER); unregister(); ${PROGRAM}`,
      { flags: ['--import', PRELOAD], env: { REGISTER: new URL('../../dist/register.cjs', import.meta.url).href } },
    );
    expect(outcome).toMatchObject({ code: 0, stdout: 'ping\n', stderr: '' });
    expect(outcome.connects).toEqual([PLAIN_CONNECT]);
  });

  test('without the rest of the package: the program runs on', async () => {
    const folder = scratchFolder();
    copyFileSync(join(root, 'dist/register.cjs'), join(folder, 'register.cjs'));
    const outcome = await runProgram(PROGRAM, { flags: ['--require', join(folder, 'register.cjs')] });
    expect(outcome).toMatchObject({ code: 0, stdout: 'ping\n', stderr: '' });
    expect(outcome.connects).toEqual([PLAIN_CONNECT]);
  });

  test('what cannot be loaded at one socket is tried again at the next, and trace says why', async () => {
    const folder = scratchFolder();
    mkdirSync(join(folder, 'dist'));
    copyFileSync(join(root, 'dist/register.cjs'), join(folder, 'dist/register.cjs'));
    const outcome = await runProgram(
      `import { copyFileSync, cpSync } from 'node:fs';
      import net from 'node:net';
      const exchange = (port, done) => {
        const socket = net.connect(port, '127.0.0.1', () => socket.end('ping'));
        socket.on('data', (data) => console.log(String(data))).on('close', done);
      };
      const server = net.createServer((socket) => socket.pipe(socket)).listen(0, '127.0.0.1', () => {
        const { port } = server.address();
        exchange(port, () => {
          copyFileSync(process.env.ROOT + 'dist/core.cjs', process.env.COPY + '/dist/core.cjs');
          cpSync(process.env.ROOT + 'prebuilds', process.env.COPY + '/prebuilds', { recursive: true });
          exchange(port, () => server.close());
        });
      });`,
      {
        flags: ['--require', join(folder, 'dist/register.cjs')],
        env: { LOOPBACK_FAST_PATH: 'trace', ROOT: root, COPY: folder },
      },
    );
    expect(outcome).toMatchObject({ code: 0, stdout: 'ping\nping\n' });
    // The listener and the first client; of the second client the trace says what became of it.
    expect(outcome.stderr.match(/not loaded for this socket: Error: Cannot find module/g)).toHaveLength(2);
    expect(outcome.stderr.match(/client 127\.0\.0\.1 port \d+ (applied|failed: .*WSAEOPNOTSUPP)/g)).toHaveLength(1);
  });

  test('a CommonJS program that imports the package while it listens is armed all the same', async () => {
    const folder = scratchFolder();
    const file = join(folder, 'program.cjs');
    writeFileSync(
      file,
      `const net = require('node:net');
      import(${JSON.stringify(pathToFileURL(join(root, 'dist/node.mjs')).href)});
      const server = net.createServer((socket) => socket.pipe(socket)).listen(0, '127.0.0.1', () => {
        const socket = net.connect(server.address().port, '127.0.0.1', () => socket.end('ping'));
        socket.on('data', (data) => console.log(String(data))).on('close', () => server.close());
      });`,
    );
    const outcome = await runFile(file, { flags: ['--require', PRELOAD] }, folder);
    expect(outcome).toMatchObject({ code: 0, stdout: 'ping\n', stderr: '' });
    expect(outcome.connects).toEqual([ARMED_CONNECT]);
    expect(outcome.listens).toEqual([ARMED_LISTEN]);
  });

  test('a registration ends where the host lacks what is needed', async () => {
    hideHostFunction('uv_walk');
    onTestFinished(() => hideHostFunction(''));
    const program = `
      import net from 'node:net';
      import { parentPort } from 'node:worker_threads';
      import { registerLoopbackFastPath } from ${JSON.stringify(import.meta.resolve('loopback-fast-path'))};
      const before = net._createServerHandle;
      registerLoopbackFastPath();
      const during = net._createServerHandle;
      const server = net.createServer().listen(0, '127.0.0.1', () => {
        parentPort.postMessage([during !== before, net._createServerHandle === before]);
        server.close();
      });`;
    const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(program)}`));
    const [message] = await once(worker, 'message');
    expect(message).toEqual([true, true]);
    await worker.terminate();
  });

  test('is silent where the system cannot, and stops at the first socket', async () => {
    const outcome = await runProgram(
      `import net from 'node:net';
      const before = [net._createServerHandle, net.Socket.prototype.connect];
      process.on('exit', () => console.log(
        before[0] !== net._createServerHandle && net._createServerHandle.name === 'createServerHandle',
        net.Socket.prototype.connect.name,
      ));
      ${PROGRAM.replace("import net from 'node:net';", '')}`,
      { flags: ['--import', PRELOAD], env: { LOOPBACK_TEST_ANSWER: '10045' } },
    );
    expect(outcome).toMatchObject({ code: 0, stdout: 'ping\ntrue \n', stderr: '' });
    expect(outcome.connects).toEqual([PLAIN_CONNECT]);
  });
});

describe('LOOPBACK_FAST_PATH', () => {
  const EXPLICIT = `
    import { getLoopbackFastPathStatus, tryEnableLoopbackFastPath } from 'loopback-fast-path';
    import net from 'node:net';
    const server = net.createServer((socket) => socket.pipe(socket));
    const armed = [tryEnableLoopbackFastPath(server, OPTIONS)];
    server.listen(0, '127.0.0.1', () => {
      const socket = net.connect(server.address().port, '127.0.0.1', () => socket.end());
      armed.push(tryEnableLoopbackFastPath(socket, OPTIONS));
      socket.resume().on('close', () => {
        console.log(JSON.stringify([armed, getLoopbackFastPathStatus(server), getLoopbackFastPathStatus(socket)]));
        server.close();
      });
    });`;

  test('=0 switches the preload module off', async () => {
    const outcome = await runProgram(PROGRAM, { flags: ['--import', PRELOAD], env: { LOOPBACK_FAST_PATH: '0' } });
    expect(outcome).toMatchObject({ code: 0, stdout: 'ping\n', stderr: '' });
    expect(outcome.connects).toEqual([PLAIN_CONNECT]);
  });

  test('=0 switches best effort off', async () => {
    const outcome = await runProgram(EXPLICIT.replaceAll('OPTIONS', 'undefined'), {
      env: { LOOPBACK_FAST_PATH: '0' },
    });
    const off = { state: 'skipped', reason: 'switched-off' };
    expect(outcome).toMatchObject({ code: 0, stderr: '' });
    expect(JSON.parse(outcome.stdout)).toEqual([[false, false], off, off]);
    expect(outcome.connects).toEqual([PLAIN_CONNECT]);
  });

  test('=0 switches off a context in a runtime that has other sockets than Node', async () => {
    const program = `
      import { createRequire } from 'node:module';
      import { runWithLoopbackFastPath } from 'loopback-fast-path';
      const net = createRequire(import.meta.url)('node:net');
      delete net._createServerHandle;
      runWithLoopbackFastPath({}, () => {
        const server = net.createServer((socket) => socket.pipe(socket)).listen(0, '127.0.0.1', () => {
          const socket = net.connect(server.address().port, '127.0.0.1', () => socket.end('ping'));
          socket.on('data', (data) => console.log(String(data))).on('close', () => server.close());
        });
      });`;
    const outcome = await runProgram(program, { env: { LOOPBACK_FAST_PATH: '0' } });
    expect(outcome).toMatchObject({ code: 0, stdout: 'ping\n', stderr: '' });
  });

  test('=0 switches off what a factory connects', async () => {
    const program = `
      import { createFastPathConnection, getLoopbackFastPathStatus } from 'loopback-fast-path';
      import net from 'node:net';
      const server = net.createServer((socket) => socket.pipe(socket)).listen(0, '127.0.0.1', () => {
        const socket = createFastPathConnection(server.address().port, '127.0.0.1', () => socket.end());
        socket.resume().on('close', () => {
          console.log(JSON.stringify(getLoopbackFastPathStatus(socket)));
          server.close();
        });
      });`;
    const outcome = await runProgram(program, { env: { LOOPBACK_FAST_PATH: '0' } });
    expect(outcome).toMatchObject({ code: 0, stderr: '' });
    expect(JSON.parse(outcome.stdout)).toEqual({ state: 'skipped', reason: 'switched-off' });
    expect(outcome.connects).toEqual([PLAIN_CONNECT]);
  });

  test('=0 does not touch what is required', async () => {
    const outcome = await runProgram(EXPLICIT.replaceAll('OPTIONS', '{ required: true }'), {
      env: { LOOPBACK_FAST_PATH: '0' },
    });
    const applied = { state: 'applied', family: 4, address: '127.0.0.1' };
    expect(outcome).toMatchObject({ code: 0, stderr: '' });
    expect(JSON.parse(outcome.stdout)).toEqual([[true, true], applied, applied]);
    expect(outcome.connects).toEqual([ARMED_CONNECT]);
  });

  test('=0 counts as it is when the first socket is armed', async () => {
    const program = `
      import { tryEnableLoopbackFastPath } from 'loopback-fast-path';
      import net from 'node:net';
      process.env.LOOPBACK_FAST_PATH = AFTER_IMPORT;
      const first = tryEnableLoopbackFastPath(new net.Socket());
      process.env.LOOPBACK_FAST_PATH = LATER;
      console.log(first, tryEnableLoopbackFastPath(new net.Socket()));`;
    const run = (afterImport: string, later: string) =>
      runProgram(program.replace('AFTER_IMPORT', `'${afterImport}'`).replace('LATER', `'${later}'`));
    expect(await run('0', '')).toMatchObject({ code: 0, stdout: 'false false\n', stderr: '' });
    expect(await run('', '0')).toMatchObject({ code: 0, stdout: 'true true\n', stderr: '' });
  });

  test('=trace prints a line for each socket and server at exit', async () => {
    const outcome = await runProgram(PROGRAM, {
      flags: ['--import', PRELOAD],
      args: ['worker'],
      env: { LOOPBACK_FAST_PATH: 'trace' },
    });
    expect(outcome).toMatchObject({ code: 0, stdout: 'ping\nping\n' });
    const lines = outcome.stderr.trim().split('\n');
    const line = /^loopback-fast-path, process \d+( thread 1)?: (.*)$/;
    expect(lines.map((text) => line.exec(text)?.[2]?.replace(/port \d+/, 'port N')).sort()).toEqual([
      '2 in all',
      '2 in all',
      'client 127.0.0.1 port N applied: accepted by the system for 127.0.0.1',
      'client 127.0.0.1 port N applied: accepted by the system for 127.0.0.1',
      'server 127.0.0.1 port N applied: accepted by the system for 127.0.0.1',
      'server 127.0.0.1 port N applied: accepted by the system for 127.0.0.1',
    ]);
    expect(lines.filter((text) => text.includes('thread 1'))).toHaveLength(3);
  });

  test('=trace of a program without a socket says that there was none', async () => {
    const { code, stderr } = await runProgram("import 'loopback-fast-path';", { env: { LOOPBACK_FAST_PATH: 'trace' } });
    expect(code).toBe(0);
    expect(stderr).toMatch(/^loopback-fast-path, process \d+: no socket or server\r?\n$/);
  });

  test('=trace prints no more than 10,000 lines, and how many there would have been', async () => {
    const program = `
      import { tryEnableLoopbackFastPath } from 'loopback-fast-path';
      import net from 'node:net';
      for (let i = 0; i < 10_002; ++i) tryEnableLoopbackFastPath(new net.Socket());`;
    const { stderr } = await runProgram(program, { env: { LOOPBACK_FAST_PATH: 'trace' } });
    const lines = stderr.trim().split(/\r?\n/);
    expect(lines.filter((line) => line.endsWith(': client armed'))).toHaveLength(10_000);
    expect(lines.slice(10_000).map((line) => line.replace(/^.*: /, ''))).toEqual(['and 2 more', '10002 in all']);
  });

  test('=trace says why not', async () => {
    const outcome = await runProgram(PROGRAM, {
      flags: ['--import', PRELOAD],
      env: { LOOPBACK_FAST_PATH: 'trace', LOOPBACK_TEST_ANSWER: '10045' },
    });
    expect(outcome).toMatchObject({ code: 0, stdout: 'ping\n' });
    expect(outcome.stderr).toMatch(/server 127\.0\.0\.1 port \d+ failed: WSAIoctl WSAEOPNOTSUPP \(10045\)/);
    expect(outcome.stderr).toMatch(/client 127\.0\.0\.1 port \d+ failed: WSAIoctl WSAEOPNOTSUPP \(10045\)/);
  });
});
