import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { type Call, connectStories, listenStories } from './recorder.js';
import { scratchFolder } from './scratch.js';

/** The checkout. */
export const root = fileURLToPath(new URL('../..', import.meta.url));

const recorded = fileURLToPath(new URL('recorded.cjs', import.meta.url));

/** How a process ended. */
export interface Outcome {
  code: number | null;
  stdout: string;
  stderr: string;
  /** What happened to each SOCKET that it connected or listened on, when it was recorded. */
  connects: string[][];
  listens: string[][];
}

interface How {
  flags?: string[];
  args?: string[];
  env?: NodeJS.ProcessEnv;
  /** Whether Winsock is recorded, and says yes to the ioctl. Default `true`. */
  record?: boolean;
}

/** Runs the text of an ES module as the main program of a new process. */
export async function runProgram(program: string, how: How = {}): Promise<Outcome> {
  const folder = scratchFolder();
  const file = join(folder, 'program.mjs');
  // Outside the checkout a program has nothing to import but Node's modules.
  writeFileSync(file, program.replaceAll("'loopback-fast-path'", `'${pathToFileURL(join(root, 'dist/node.mjs'))}'`));
  return runFile(file, how, folder);
}

/** Runs a file as the main program of a new process. */
export async function runFile(file: string, how: How = {}, calls = scratchFolder()): Promise<Outcome> {
  const { flags = [], args = [], env = {}, record = true } = how;
  const child = spawn(process.execPath, [...(record ? ['--require', recorded] : []), ...flags, file, ...args], {
    cwd: root,
    env: { ...process.env, LOOPBACK_TEST_CALLS: calls, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const closed = once(child, 'close');
  const [stdout, stderr] = await Promise.all([child.stdout, child.stderr].map((stream) => text(stream)));
  const [code] = (await closed) as [number | null];
  const all = readdirSync(calls)
    .filter((name) => name.endsWith('.json'))
    .map((name) => (JSON.parse(readFileSync(join(calls, name), 'utf8')) as { calls: Call[] }).calls);
  return {
    code,
    stdout: stdout ?? '',
    stderr: stderr ?? '',
    connects: all.flatMap(connectStories),
    listens: all.flatMap(listenStories),
  };
}

async function text(stream: NodeJS.ReadableStream): Promise<string> {
  let all = '';
  for await (const chunk of stream.setEncoding('utf8')) all += chunk;
  return all;
}
