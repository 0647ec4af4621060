import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import { arch, availableParallelism, cpus, platform, release, type, version } from 'node:os';
import { join } from 'node:path';

/** What the program runs on, as both commands report it. */
export interface SystemFacts {
  /** `Windows 11 Pro`, `Linux`, or `Wine` with what it says it is. */
  readonly name: string;
  readonly platform: NodeJS.Platform;
  /** The build, on Windows: `10.0.26100`. */
  readonly release: string;
  readonly arch: string;
  readonly node: string;
  readonly cpu: string;
  readonly cores: number;
  /** Whether this is Wine: nothing that is measured is then a Windows figure. */
  readonly wine: boolean;
}

/** The version of the package. */
export const packageVersion: string = JSON.parse(
  readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
).version;

export function systemFacts(): SystemFacts {
  const wine = isWine();
  return {
    name: wine ? `Wine (as ${version()})` : platform() === 'win32' ? version() : type(),
    platform: platform(),
    release: release(),
    arch: arch(),
    node: process.version,
    // Wine does not say.
    cpu: cpus()[0]?.model.trim() ?? 'unknown processor',
    cores: availableParallelism(),
    wine,
  };
}

/** One line: the system, Node and the processor. */
export function describeSystem(facts: SystemFacts): string {
  return `${facts.name}, ${facts.platform} ${facts.release}, ${facts.arch}, Node ${facts.node}, ${facts.cores} × ${facts.cpu}`;
}

const SYSTEM_FOLDER = 'System32';

/**
 * Wine marks every DLL of its own right behind the DOS header. The one looked at
 * is loaded into every process; an environment variable or a registry key could
 * be missing or made up, and asking it natively (`wine_get_version`) would need
 * the binary that may just have failed to load.
 */
export function isWine(): boolean {
  if (process.platform !== 'win32') return false;
  const sizeOfDosHeader = 64;
  const mark = Buffer.alloc(16);
  try {
    const file = openSync(join(windowsFolder(), SYSTEM_FOLDER, 'ntdll.dll'), 'r');
    readSync(file, mark, 0, mark.length, sizeOfDosHeader);
    closeSync(file);
  } catch {
    return false;
  }
  return /^Wine (builtin|placeholder)/.test(mark.toString('latin1'));
}

/** The programs and drivers of Windows. */
export function systemFolder(): string {
  return nativePath(join(windowsFolder(), SYSTEM_FOLDER));
}

/**
 * A file as it is: in a 32-bit process on 64-bit Windows another folder stands in the
 * place of System32, and Sysnative is the way around.
 */
export function nativePath(file: string): string {
  const { PROCESSOR_ARCHITEW6432: architecture } = process.env;
  const redirected = process.arch === 'ia32' && architecture !== undefined;
  const folder = join(windowsFolder(), SYSTEM_FOLDER);
  const [start, rest] = [file.slice(0, folder.length), file.slice(folder.length)];
  if (!redirected || start.toLowerCase() !== folder.toLowerCase() || !/^(\\|$)/.test(rest)) return file;
  return join(windowsFolder(), 'Sysnative') + rest;
}

/** Where Windows is installed. */
function windowsFolder(): string {
  const { SystemRoot = 'C:\\Windows' } = process.env;
  return SystemRoot;
}
