import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { Worker } from 'node:worker_threads';
import { describe, expect, test } from 'vitest';
import { hideHostFunction } from '../support/recorder.js';
import { scratchFolder } from '../support/scratch.js';
import { binaryFile } from '../support/sockets.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const run = promisify(execFile);

/** Runs a program in a new process and returns what it prints as JSON. */
async function result(
  program: string,
  options: { execPath?: string; flags?: string[]; env?: NodeJS.ProcessEnv } = {},
): Promise<unknown> {
  const { execPath = process.execPath, flags = [], env = {} } = options;
  const { stdout } = await run(execPath, [...flags, '--input-type=module', '--eval', program], {
    cwd: root,
    env: { ...process.env, ...env },
  });
  return JSON.parse(stdout);
}

/** Prints what the system says, through a probe and through a connection. */
const CONNECT = `
  import net from 'node:net';
  import { getLoopbackFastPathStatus, probeLoopbackFastPath, tryEnableLoopbackFastPath } from 'loopback-fast-path';
  const server = net.createServer((socket) => socket.end('pong')).listen(0, '127.0.0.1', () => {
    const socket = net.connect(server.address().port, '127.0.0.1');
    const enabled = tryEnableLoopbackFastPath(socket);
    socket.on('data', (data) => {
      const status = getLoopbackFastPathStatus(socket);
      const probe = probeLoopbackFastPath();
      console.log(JSON.stringify({
        enabled,
        data: String(data),
        status: status.error?.code ?? status.state,
        probe: probe.supported || probe.error.code,
        message: probe.error?.message,
      }));
      server.close();
    });
  });`;

const wine = process.env.LOOPBACK_TEST_SYSTEM === 'wine';
const WORKS = {
  enabled: !wine,
  data: 'pong',
  status: wine ? 'WSAEOPNOTSUPP' : 'applied',
  probe: wine ? 'WSAEOPNOTSUPP' : true,
};

test('these tests run on the Node they are meant for', () => {
  expect(process.platform).toBe('win32');
  expect(process.version).toBe(process.env.LOOPBACK_TEST_NODE ?? process.version);
});

test('node.exe', async () => {
  expect(await result(CONNECT)).toMatchObject(WORKS);
});

test('node.exe under another name', async () => {
  const execPath = join(scratchFolder(), 'another name.exe');
  copyFileSync(process.execPath, execPath);
  expect(await result(CONNECT, { execPath })).toMatchObject(WORKS);
});

test.each(['uv_walk', 'uv_has_ref', 'uv_is_closing', 'uv_handle_get_type', 'uv_fileno', 'uv_tcp_bind'])(
  'a host without %s: a typed error, and traffic flows',
  async (name) => {
    // A worker has an instance of the addon of its own, which looks for libuv anew.
    hideHostFunction(name);
    const program = CONNECT.replace(
      'console.log(JSON.stringify(',
      "(await import('node:worker_threads')).parentPort.postMessage((",
    )
      .replace("socket.on('data', (data) =>", "socket.on('data', async (data) =>")
      .replace("'loopback-fast-path'", JSON.stringify(import.meta.resolve('loopback-fast-path')));
    const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(program)}`));
    const [result] = await once(worker, 'message');
    expect(result).toMatchObject({
      enabled: false,
      data: 'pong',
      status: 'ERR_LOOPBACK_FAST_PATH_HOST',
      probe: 'ERR_LOOPBACK_FAST_PATH_HOST',
      message: expect.stringContaining(`does not export ${name}`),
    });
    hideHostFunction('');
    await worker.terminate();
  },
);

const [major = 0] = process.versions.node.split('.').map(Number);
const permission = [major >= 24 ? '--permission' : '--experimental-permission', '--allow-fs-read=*'];
// From 26.? on, sockets want a permission as well; older versions refuse the flag.
const network = process.allowedNodeEnvironmentFlags.has('--allow-net') ? ['--allow-net'] : [];

test('the permission model without addons: a typed error, and traffic flows', async () => {
  expect(await result(CONNECT, { flags: [...permission, ...network] })).toMatchObject({
    enabled: false,
    data: 'pong',
    status: 'ERR_LOOPBACK_FAST_PATH_BINARY',
    probe: 'ERR_LOOPBACK_FAST_PATH_BINARY',
    message: expect.stringContaining('--allow-addons'),
  });
});

test('the permission model with addons', async () => {
  expect(await result(CONNECT, { flags: [...permission, ...network, '--allow-addons'] })).toMatchObject(WORKS);
});

describe('a copy of the package without prebuilds', () => {
  /** Where Node finds its dependency, and where the tests may leave what is loaded. */
  function copyWithoutPrebuilds(name: string): string {
    const folder = join(root, 'build', name);
    for (const part of ['dist', 'package.json']) cpSync(join(root, part), join(folder, part), { recursive: true });
    return folder;
  }
  const fromCopy = (folder: string) =>
    CONNECT.replace("'loopback-fast-path'", JSON.stringify(pathToFileURL(join(folder, 'dist/node.mjs'))));

  test('loads what node-gyp built in it', async () => {
    const folder = copyWithoutPrebuilds('copy-built');
    mkdirSync(join(folder, 'build/Release'), { recursive: true });
    cpSync(binaryFile, join(folder, 'build/Release/loopback-fast-path.node'));
    expect(await result(fromCopy(folder))).toMatchObject(WORKS);
  });

  test('loads nothing from elsewhere', async () => {
    const folder = copyWithoutPrebuilds('copy-empty');
    const elsewhere = join(root, 'build/elsewhere/build/Release');
    mkdirSync(elsewhere, { recursive: true });
    cpSync(binaryFile, join(elsewhere, 'loopback-fast-path.node'));
    // node-gyp-build itself would follow this.
    const env = { LOOPBACK_FAST_PATH_PREBUILD: join(root, 'build/elsewhere') };
    expect(await result(fromCopy(folder), { env })).toMatchObject({
      enabled: false,
      data: 'pong',
      status: 'ERR_LOOPBACK_FAST_PATH_BINARY',
      message: expect.stringContaining('is outside the package'),
    });
  });
});

test('moved into a bundle: nothing is loaded from the folders around it', async () => {
  const folder = join(root, 'build', 'bundle');
  cpSync(join(root, 'dist/core.cjs'), join(folder, 'dist/main.cjs'));
  cpSync(binaryFile, join(folder, `prebuilds/win32-${process.arch}/loopback-fast-path.node`));
  const program = CONNECT.replace("'loopback-fast-path'", JSON.stringify(pathToFileURL(join(folder, 'dist/main.cjs'))));
  expect(await result(program)).toMatchObject({
    enabled: false,
    data: 'pong',
    status: 'ERR_LOOPBACK_FAST_PATH_BINARY',
    message: expect.stringContaining('. Tried . '),
  });
});

test('a binary that the program carries and cannot load: the error of its loader', async () => {
  const program = CONNECT.replace(/'loopback-fast-path';/, "'loopback-fast-path/custom';").replace(
    'const server',
    "(await import('loopback-fast-path/custom')).useBinary(() => { throw new Error('asset not found'); });\n  const server",
  );
  expect(await result(program)).toMatchObject({
    enabled: false,
    data: 'pong',
    status: 'ERR_LOOPBACK_FAST_PATH_BINARY',
    message: expect.stringContaining('Tried the binary that the program carries (asset not found).'),
  });
});

describe('a binary that does not load', () => {
  /** The program with what its loader does. */
  const loading = (load: string) =>
    CONNECT.replace(/'loopback-fast-path';/, "'loopback-fast-path/custom';").replace(
      'const server',
      `(await import('loopback-fast-path/custom')).useBinary(() => { ${load} });\n  const server`,
    );

  // Nothing blocks it here: the words are Windows', and Node adds the file like this.
  test.each([
    'An Application Control policy has blocked this file.',
    'This program is blocked by group policy. For more information, contact your system administrator.',
    'Operation did not complete successfully because the file contains a virus or potentially unwanted software.',
  ])('because something blocks it: reinstalling is not the advice: %s', async (said) => {
    const error = `${said}\r\n\\\\?\\C:\\app\\loopback-fast-path.node`;
    const { status, message } = (await result(loading(`throw new Error(${JSON.stringify(error)});`))) as {
      status: string;
      message: string;
    };
    expect(status).toBe('ERR_LOOPBACK_FAST_PATH_BINARY');
    expect(message).toContain(`(${said}). A policy or an antivirus product`);
    expect(message).not.toContain('Reinstall');
    expect(message).not.toMatch(/[\r\n]/);
  });

  test('because it is not a binary: one line, with the text of the system', async () => {
    const file = join(root, 'build', 'no-binary.node');
    mkdirSync(join(root, 'build'), { recursive: true });
    writeFileSync(file, 'text');
    const load = `process.dlopen({ exports: {} }, ${JSON.stringify(file)});`;
    const { status, message } = (await result(loading(load))) as { status: string; message: string };
    expect(status).toBe('ERR_LOOPBACK_FAST_PATH_BINARY');
    expect(message).toMatch(/carries \(.+\)\. Reinstall/);
    expect(message).not.toMatch(/[\r\n]/);
  });
});

describe('required, by a program of another architecture', () => {
  const required = (arch: string) =>
    CONNECT.replace(
      /import (\{.+\}) from 'loopback-fast-path';/,
      `Object.defineProperty(process, 'arch', { value: '${arch}' });
  const { createRequire } = await import('node:module');
  const $1 = createRequire(${JSON.stringify(join(root, 'program.js'))})('loopback-fast-path');`,
    );

  test('that has a binary: that one is tried', async () => {
    // No machine runs both.
    const other = process.arch === 'arm64' ? ['x64', 'ia32'] : ['arm64', process.arch === 'x64' ? 'ia32' : 'x64'];
    for (const arch of other) {
      const { status, message } = (await result(required(arch))) as { status: string; message: string };
      expect(status).toBe('ERR_LOOPBACK_FAST_PATH_BINARY');
      expect(message).toContain(`win32-${arch}, Node ${process.version}. Tried the prebuilt binary (`);
      expect(message).not.toContain('none is shipped');
    }
  });

  test('that has none', async () => {
    expect(await result(required('mips'))).toMatchObject({
      enabled: false,
      data: 'pong',
      status: 'ERR_LOOPBACK_FAST_PATH_BINARY',
      message: expect.stringContaining('Tried the prebuilt binary (none is shipped for win32-mips), '),
    });
  });
});

test('no binary: what was tried and the fix', async () => {
  const program = CONNECT.replace(
    "import net from 'node:net';",
    "import net from 'node:net'; Object.defineProperty(process, 'arch', { value: 'mips' });",
  );
  expect(await result(program)).toMatchObject({
    enabled: false,
    data: 'pong',
    status: 'ERR_LOOPBACK_FAST_PATH_BINARY',
    message: expect.stringMatching(
      /win32-mips.*Tried the prebuilt binary \(.*\), a binary built from source \(.*\)\. Reinstall/,
    ),
  });
});
