import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join, win32 } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { nativePath, systemFolder } from './system.js';

/**
 * All that doctor asks of PowerShell, in one go, since its start and its first
 * question of WMI take seconds. To see what a machine answers, paste it into
 * PowerShell. It prints three lines of JSON; between the first and the third doctor
 * makes connections. Names of classes and properties are the same in every language
 * of Windows, and no administrator is needed.
 *
 * - the counter of B13: 32 bits, of all connections since the start of the system
 * - the number behind the last dot of the full build (4349 of 10.0.26100.4349), and
 *   the kernel drivers that are running, with who made them
 * - the counter again, a second later
 */
export const POWERSHELL_SCRIPT: string = [
  "$ErrorActionPreference = 'SilentlyContinue'",
  '[Console]::OutputEncoding = New-Object Text.UTF8Encoding $false',
  'function Say($what) { [Console]::WriteLine((ConvertTo-Json -Compress -Depth 3 -InputObject $what)) }',
  'function Counter { (Get-CimInstance Win32_PerfFormattedData_TCPIPCounters_TCPIPPerformanceDiagnostics).TCPconnectrequestsfallenoffloopbackfastpath }',
  'Say @{ counter = Counter }',
  "$revision = (Get-ItemProperty 'HKLM:/SOFTWARE/Microsoft/Windows NT/CurrentVersion').UBR",
  "$drivers = @(Get-CimInstance Win32_SystemDriver -Filter 'Started=TRUE' | ForEach-Object { " +
    "$file = $_.PathName -replace '^\\\\[?][?]\\\\', '' -replace '^\\\\SystemRoot', $env:SystemRoot; " +
    '@{ file = $file; company = [string](Get-Item -LiteralPath $file).VersionInfo.CompanyName } })',
  'Say @{ revision = $revision; drivers = $drivers }',
  'Start-Sleep -Seconds 1',
  'Say @{ counter = Counter }',
].join('; ');

/** The first PowerShell of a machine that was just started takes up to a minute. */
const LIMIT_MS = 60_000;

/** A kernel driver. */
export interface Driver {
  readonly file: string;
  /** Who made it, as its version resource says; empty where it does not. */
  readonly company: string;
}

/** What PowerShell said; what it did not say is absent. */
export interface PowerShellAnswers {
  /** See POWERSHELL_SCRIPT. */
  readonly updateRevision?: number;
  readonly drivers?: readonly Driver[];
  /** The counter before and after `between`. */
  readonly counter?: { readonly before: number; readonly after: number };
}

/**
 * Runs the script.
 *
 * @param between what to do between the two readings of the counter.
 * @returns what was said, and how long it took; `answered` is false where there is no
 *   PowerShell (Wine has a stub), or nothing came in time.
 */
export async function askPowerShell(
  between: () => Promise<void>,
): Promise<PowerShellAnswers & { readonly seconds: number; readonly answered: boolean }> {
  const start = performance.now();
  // By its full path: what else is called powershell is not asked.
  const program = join(systemFolder(), 'WindowsPowerShell', 'v1.0', 'powershell.exe');
  const child = spawn(program, ['-NoProfile', '-NonInteractive', '-Command', POWERSHELL_SCRIPT], {
    stdio: ['ignore', 'pipe', 'ignore'],
    env: withoutModulePath(process.env),
    windowsHide: true,
    timeout: LIMIT_MS,
  });
  // No such program: its output ends, empty.
  child.on('error', () => {});
  const answers = await readAnswers(child.stdout, between);
  const seconds = Math.round((performance.now() - start) / 100) / 10;
  return { ...answers, seconds, answered: Object.keys(answers).length > 0 };
}

/**
 * PowerShell 7 leaves a variable to what it starts that makes 5.1 look for its modules
 * among those of 7, which it cannot load; then ConvertTo-Json is missing.
 */
export function withoutModulePath(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => name.toLowerCase() !== 'psmodulepath'));
}

/** Reads what POWERSHELL_SCRIPT prints. */
export async function readAnswers(output: Readable, between: () => Promise<void>): Promise<PowerShellAnswers> {
  let line = 0;
  let before: number | undefined;
  let after: number | undefined;
  let facts: PowerShellAnswers = {};
  let done = false;
  let inTime = false;
  let work: Promise<void> | undefined;
  for await (const text of createInterface(output)) {
    const said = parse(text);
    if (said === undefined) continue;
    line += 1;
    if (line === 1) {
      before = numberOf(said.counter);
      if (before === undefined) continue;
      work = between().then(
        () => {
          done = true;
        },
        // The counter says nothing then.
        () => {},
      );
    } else if (line === 2) {
      // The third line is a second away: what is done by now is in its reading.
      inTime = done;
      facts = factsOf(said);
    } else if (line === 3) {
      after = numberOf(said.counter);
    }
  }
  await work;
  return inTime && before !== undefined && after !== undefined ? { ...facts, counter: { before, after } } : facts;
}

/** A line, as far as it is one of the script's. */
interface Said {
  readonly counter?: unknown;
  readonly revision?: unknown;
  readonly drivers?: unknown;
}

function factsOf({ revision, drivers }: Said): PowerShellAnswers {
  const updateRevision = numberOf(revision);
  const known = Array.isArray(drivers) ? drivers.filter(isDriver) : [];
  return {
    ...(updateRevision === undefined ? {} : { updateRevision }),
    // There is no Windows without drivers: none means that WMI did not say.
    ...(known.length === 0 ? {} : { drivers: known }),
  };
}

function parse(line: string): Said | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

function numberOf(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined;
}

function isDriver(value: unknown): value is Driver {
  const { file, company } = (value ?? {}) as Partial<Driver>;
  return typeof file === 'string' && typeof company === 'string';
}

/**
 * Which drivers can register callouts of the Windows Filtering Platform: a driver must
 * import the function for that by its name. Whether one of them has a callout on the
 * data of loopback connections (B9) does not show.
 */
export async function findCallouts(
  drivers: readonly Driver[],
): Promise<{ calloutDrivers: Driver[]; unreadDrivers: string[] }> {
  const calloutDrivers: Driver[] = [];
  const unreadDrivers: string[] = [];
  for (const { file, company } of drivers) {
    const name = win32.basename(file);
    const image = await readFile(nativePath(file)).catch(() => undefined);
    if (image === undefined) unreadDrivers.push(name);
    else if (image.includes('FwpsCalloutRegister')) calloutDrivers.push({ file: name, company });
  }
  return { calloutDrivers, unreadDrivers };
}
