#!/usr/bin/env node
// The command loopback-fast-path: reads arguments, calls doctor or bench, and
// says with the exit code how it went. Neither loads the other.

import { openSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { isAsciiOnly, toAscii, toAsciiJson } from './ascii.js';
import { paintFor } from './paint.js';
import { packageVersion } from './system.js';
import { UsageError } from './usage-error.js';

const OK = 0;
const NOT_USABLE = 1;
const ERROR = 2;
/** What shells use for a program that Ctrl-C ended. */
const INTERRUPTED = 130;

const HELP = `Usage: loopback-fast-path <command> [options]

  doctor   whether this machine accepts SIO_LOOPBACK_FAST_PATH, and what stands in its way
  bench    whether it is faster here: plain TCP, TCP with the fast path, IPv6, named pipe

  -h, --help      show this, or the help of a command
  -v, --version   show the version of the package

Exit code: 0 usable or measured, 1 not usable, 2 error, 130 bench ended by Ctrl-C.
`;

const DOCTOR_HELP = `Usage: loopback-fast-path doctor [options]

Checks whether the system accepts the ioctl, and looks for what keeps it from having
an effect. Uses sockets of its own only, and changes no setting.

  --ipv6       try IPv6 too, on an IPv6-only socket. On IPv6 the ioctl has crashed Windows 10
               and Server 2016 in the kernel: https://github.com/grpc/grpc/issues/18057
  --json       print the findings as JSON
  --ascii      print ASCII only; the default in a file or a pipe on Windows
  -h, --help   show this

Exit code: 0 usable (IPv4), 1 not usable, 2 error.
`;

const BENCH_HELP = `Usage: loopback-fast-path bench [options]

Measures round trips, throughput and connects between two processes on this machine,
alternating between the ways of connecting, and compares them with plain TCP.

  --quick        take less than 20 seconds; finds large differences only
  --seconds N    measure for about N seconds (default 90, with --quick 15)
  --native       measure the same loops in C++ as well (in a checkout on Windows)
  --same         compare plain TCP with itself, which shows the noise of this machine
  --json         print the result as JSON
  --html FILE    write the result as a page with plots, too
  --compare FILE compare with a run that was saved with --json
  --ascii        print ASCII only; the default in a file or a pipe on Windows
  -h, --help     show this

Progress goes to stderr. Ctrl-C ends it early and prints what was measured by then.

Exit code: 0 measured, 2 error, 130 ended by Ctrl-C.
`;

const HELP_OPTION = { help: { type: 'boolean', short: 'h' } } as const;
const OUTPUT_OPTIONS = { ...HELP_OPTION, json: { type: 'boolean' }, ascii: { type: 'boolean' } } as const;
const MAIN_OPTIONS = { ...HELP_OPTION, version: { type: 'boolean', short: 'v' } } as const;
const DOCTOR_OPTIONS = { ...OUTPUT_OPTIONS, ipv6: { type: 'boolean' } } as const;
const BENCH_OPTIONS = {
  ...OUTPUT_OPTIONS,
  quick: { type: 'boolean' },
  seconds: { type: 'string' },
  native: { type: 'boolean' },
  same: { type: 'boolean' },
  html: { type: 'string' },
  compare: { type: 'string' },
} as const;

async function main(args: string[]): Promise<number> {
  const [command, ...rest] = args;
  if (command === 'doctor') return doctorCommand(rest);
  if (command === 'bench') return benchCommand(rest);
  const { help, version } = read(args, MAIN_OPTIONS, '');
  if (version) print(packageVersion);
  else if (help) print(HELP.trimEnd());
  else throw new UsageError('No command given: "doctor" or "bench". See loopback-fast-path --help');
  return OK;
}

async function doctorCommand(args: string[]): Promise<number> {
  const { help, ipv6 = false, json, ascii } = read(args, DOCTOR_OPTIONS, 'doctor');
  if (help) {
    print(DOCTOR_HELP.trimEnd());
    return OK;
  }
  const { examine } = await import('./doctor.js');
  const { describeFindings } = await import('./doctor-report.js');
  const found = await examine({ ipv6 });
  printResult(json ? found : describeFindings(found, paintFor(process.stdout)), ascii);
  return found.verdict.usable ? OK : NOT_USABLE;
}

async function benchCommand(args: string[]): Promise<number> {
  const values = read(args, BENCH_OPTIONS, 'bench');
  const { help, quick = false, native = false, same = false, json, html, seconds, compare, ascii } = values;
  if (help) {
    print(BENCH_HELP.trimEnd());
    return OK;
  }
  const limit = seconds === undefined ? undefined : Number(seconds);
  if (limit !== undefined && !(limit > 0 && limit <= 3600)) {
    throw new UsageError(`--seconds must be a number between 0 and 3600, not '${seconds}'.`);
  }
  const { bench } = await import('./bench/bench.js');
  const { readSavedResult } = await import('./bench/saved.js');
  const { compareRuns } = await import('./bench/compare.js');
  const { htmlReport } = await import('./bench/html-report.js');
  const { textReport } = await import('./bench/text-report.js');
  // Before anything is measured, and not when it is too late.
  const before = compare === undefined ? undefined : readSavedResult(compare);
  const page = html === undefined ? undefined : openPage(html);
  const interrupt = new AbortController();
  process.once('SIGINT', () => interrupt.abort());
  const measured = await bench({
    quick,
    native,
    same,
    ...(limit === undefined ? {} : { seconds: limit }),
    signal: interrupt.signal,
    progress: progressOn(process.stderr),
  });
  const result = before === undefined ? measured : { ...measured, compared: compareRuns(measured, before) };
  if (page !== undefined) writeFileSync(page, htmlReport(result));
  printResult(json ? result : textReport(result, paintFor(process.stdout)), ascii);
  return result.interrupted ? INTERRUPTED : OK;
}

/** @throws {UsageError} where it cannot be written. */
function openPage(file: string): number {
  try {
    return openSync(file, 'w');
  } catch (error) {
    throw new UsageError(`--html: ${(error as Error).message}`);
  }
}

/** Options of a command; `Did you mean` for one that it does not have. */
function read<T extends NonNullable<NonNullable<Parameters<typeof parseArgs>[0]>['options']>>(
  args: string[],
  options: T,
  command: string,
) {
  const help = `loopback-fast-path ${command} --help`.replace('  ', ' ');
  try {
    return parseArgs({ args, options, strict: true, allowPositionals: false }).values;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const names = [...Object.keys(options).map((name) => `--${name}`), ...(command === '' ? ['doctor', 'bench'] : [])];
    const [, unknown] = /(?:option|argument) '([^']*)'/.exec(message) ?? [];
    if (unknown === undefined || code === 'ERR_PARSE_ARGS_INVALID_OPTION_VALUE') {
      throw new UsageError(`${message.split('\n')[0]} See ${help}`);
    }
    const guess = nearest(unknown, names);
    const what = unknown.startsWith('-') ? 'option' : command === '' ? 'command' : 'argument';
    const hint = guess === undefined ? '' : ` Did you mean '${guess}'?`;
    throw new UsageError(`Unknown ${what} '${unknown}'.${hint} See ${help}`);
  }
}

/** The word that takes the fewest changes of a letter, if they are few. */
function nearest(word: string, words: string[]): string | undefined {
  const [best] = words
    .map((other) => ({ other, distance: distance(word, other) }))
    .sort((a, b) => a.distance - b.distance);
  return best !== undefined && best.distance <= 3 ? best.other : undefined;
}

/** Levenshtein distance. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (const [i, letter] of [...a].entries()) {
    const next = [i + 1];
    for (const [j, other] of [...b].entries()) {
      next.push(Math.min((next[j] ?? 0) + 1, (row[j + 1] ?? 0) + 1, (row[j] ?? 0) + (letter === other ? 0 : 1)));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}

/** One line that is written anew on a terminal, and a line for each step elsewhere. */
function progressOn(stream: NodeJS.WriteStream): (text: string) => void {
  if (!stream.isTTY) return (text) => text !== '' && stream.write(`${text}\n`);
  return (text) => stream.write(`\r\x1b[K${text}`);
}

/** Text for people, or what becomes JSON. */
function printResult(result: string | object, ascii?: boolean): void {
  const plain = isAsciiOnly(process.stdout, ascii);
  if (typeof result === 'string') {
    print(plain ? toAscii(result) : result);
  } else {
    const json = JSON.stringify(result, null, 2);
    print(plain ? toAsciiJson(json) : json);
  }
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  const usage = error instanceof UsageError;
  process.stderr.write(`${usage ? error.message : ((error as Error).stack ?? error)}\n`);
  process.exitCode = ERROR;
}
