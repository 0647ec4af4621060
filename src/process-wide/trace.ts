import { subscribe } from 'node:diagnostics_channel';
import { writeSync } from 'node:fs';
import { describe, kindOf } from '../arming/describe.js';
import { STATUS_CHANNEL } from '../arming/publish.js';
import type { LoopbackFastPathStatusMessage } from '../arming/status.js';

// A server that runs for a month makes more sockets than anybody reads about.
const MOST_LINES = 10_000;

/**
 * `LOOPBACK_FAST_PATH=trace`: a line on stderr for each socket and server, with
 * its latest status, when the thread exits.
 */
export function startTrace(): void {
  // Who does not trace does without the time that it takes to load.
  const { threadId }: typeof import('node:worker_threads') = require('node:worker_threads');
  const lines: string[] = [];
  const numbers = new WeakMap<object, number>();
  let count = 0;

  subscribe(STATUS_CHANNEL, (message) => {
    const { target, status, address, port } = message as LoopbackFastPathStatusMessage;
    let number = numbers.get(target);
    if (number === undefined) {
      number = count++;
      numbers.set(target, number);
    }
    if (number >= MOST_LINES) return;
    const where = address === undefined ? '' : ` ${address} port ${port}`;
    lines[number] = `${kindOf(target)}${where} ${describe(status)}`;
  });

  process.on('exit', () => {
    if (count > MOST_LINES) lines.push(`and ${count - MOST_LINES} more`);
    const prefix = `loopback-fast-path, process ${process.pid}${threadId === 0 ? '' : ` thread ${threadId}`}: `;
    lines.push(count === 0 ? 'no socket or server' : `${count} in all`);
    try {
      // console.error() of a thread would not arrive any more.
      writeSync(2, lines.map((line) => `${prefix}${line}\n`).join(''));
    } catch {
      // Nobody reads stderr.
    }
  });
}
