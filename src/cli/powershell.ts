import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { windowsFolder } from './system.js';

// What only WMI tells without administrator rights. Class and property names are
// the same in every language of Windows, and so is JSON.

/** B13. A 32-bit count since the start of the system, of all its connections. */
const COUNTER =
  '(Get-CimInstance Win32_PerfFormattedData_TCPIPCounters_TCPIPPerformanceDiagnostics).TCPconnectrequestsfallenoffloopbackfastpath';

/** A driver that can look at connections. */
export interface Driver {
  readonly file: string;
  /** Who made it, as its version resource says; empty where it does not. */
  readonly company: string;
}

/** @returns undefined where there is no such counter, or no PowerShell. */
export async function readFallenOffCounter(): Promise<number | undefined> {
  const value = await ask(COUNTER);
  return typeof value === 'number' ? value : undefined;
}

/** The number behind the last dot of a full Windows build, such as 4349 of 10.0.26100.4349. */
export async function readUpdateRevision(): Promise<number | undefined> {
  const value = await ask("(Get-ItemProperty 'HKLM:/SOFTWARE/Microsoft/Windows NT/CurrentVersion').UBR");
  return typeof value === 'number' ? value : undefined;
}

/**
 * The running kernel drivers that register callouts of the Windows Filtering
 * Platform: a driver must import the function for that by its name. Whether one
 * of them has a callout on the data of loopback connections (B9) does not show.
 *
 * @returns undefined where PowerShell does not answer.
 */
export async function findCalloutDrivers(): Promise<readonly Driver[] | undefined> {
  const drivers = await ask(
    "@(Get-CimInstance Win32_SystemDriver -Filter 'Started=TRUE' | ForEach-Object { " +
      "$file = $_.PathName -replace '^\\\\[?][?]\\\\', '' -replace '^\\\\SystemRoot', $env:SystemRoot; " +
      '@{ file = $file; company = [string](Get-Item -LiteralPath $file).VersionInfo.CompanyName } })',
  );
  return Array.isArray(drivers) ? withCallouts(drivers.filter(isDriver)) : undefined;
}

/** Those whose file names the function that registers a callout. */
export async function withCallouts(drivers: readonly Driver[]): Promise<readonly Driver[]> {
  const found: Driver[] = [];
  for (const { file, company } of drivers) {
    const image = await readFile(file).catch(() => Buffer.alloc(0));
    if (image.includes('FwpsCalloutRegister')) found.push({ file: basename(file.replaceAll('\\', '/')), company });
  }
  return found;
}

function isDriver(value: unknown): value is Driver {
  const { file, company } = (value ?? {}) as Partial<Driver>;
  return typeof file === 'string' && typeof company === 'string';
}

/** What an expression of PowerShell is worth; undefined where that cannot be had. */
function ask(expression: string): Promise<unknown> {
  // By its full path: what else is called powershell is not asked.
  const program = join(windowsFolder(), 'System32', 'WindowsPowerShell', 'v1.0', 'powershell.exe');
  const script = `$ErrorActionPreference = 'SilentlyContinue'; [Console]::OutputEncoding = New-Object Text.UTF8Encoding $false; ConvertTo-Json -Compress -Depth 3 -InputObject (${expression})`;
  return new Promise((resolve) => {
    const options = { timeout: 20_000, windowsHide: true, maxBuffer: 1 << 24 };
    execFile(program, ['-NoProfile', '-NonInteractive', '-Command', script], options, (_error, stdout) => {
      try {
        resolve(JSON.parse(stdout));
      } catch {
        // No PowerShell (Wine has a stub), or it took too long.
        resolve(undefined);
      }
    });
  });
}
