// AVA, in threads.
// Not by context: its sockets are those of other processes or threads.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const ava = fileURLToPath(new URL('../node_modules/ava/entrypoints/cli.mjs', import.meta.url));
const cwd = fileURLToPath(new URL('..', import.meta.url));
const child = spawn(process.execPath, [ava, 'tests/ava.mjs', '--tap', '--worker-threads', '--timeout=2m'], { cwd });
child.stderr.pipe(process.stderr);
const lines = (await child.stdout.setEncoding('utf8').toArray()).join('').split('\n');
console.log(lines.filter((line) => /^(not )?ok/.test(line)).sort());
[process.exitCode] = child.exitCode === null ? await once(child, 'exit') : [child.exitCode];
