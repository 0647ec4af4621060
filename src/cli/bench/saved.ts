import { readFileSync } from 'node:fs';
import type { LoopbackSettings } from '../netsh.js';
import type { SystemFacts } from '../system.js';
import { UsageError } from '../usage-error.js';
import type { BenchResult } from './bench.js';
import { PATHS, type PathId, type Shape } from './plan.js';

/** Of what `bench --json` printed once, the part that is compared. */
export interface SavedResult {
  readonly version: string;
  readonly date: string;
  readonly system: SystemFacts;
  readonly loopback?: LoopbackSettings;
  readonly shapes: readonly (Shape & { readonly measured: readonly SavedPath[] })[];
}

interface SavedPath {
  readonly path: PathId;
  readonly speeds: readonly (number | null)[];
}

/** @throws {UsageError} where it cannot be read, or is something else. */
export function readSavedResult(file: string): SavedResult {
  let text: string;
  try {
    text = decode(readFileSync(file));
  } catch (error) {
    throw new UsageError(`--compare: ${(error as Error).message}`);
  }
  try {
    return parseSavedResult(JSON.parse(text));
  } catch (error) {
    throw new UsageError(`--compare: '${file}' is not what "bench --json" prints: ${(error as Error).message}`);
  }
}

/** What PowerShell 5 redirects to a file is UTF-16. */
function decode(bytes: Buffer): string {
  const utf16 = bytes[0] === 0xff && bytes[1] === 0xfe;
  return bytes.toString(utf16 ? 'utf16le' : 'utf8').replace(/^\ufeff/, '');
}

/** @throws {TypeError} that names what is missing. */
function parseSavedResult(value: unknown): SavedResult {
  const result = objectAt(value, 'the file') as Partial<BenchResult>;
  if (result.tool !== 'loopback-fast-path bench') throw new TypeError('no "tool" of that name');
  const system: Partial<Record<keyof SystemFacts, unknown>> = objectAt(result.system, 'system');
  const loopback = result.loopback === undefined ? undefined : loopbackOf(objectAt(result.loopback, 'loopback'));
  return {
    version: textAt(result.version, 'version'),
    date: textAt(result.date, 'date'),
    system: {
      name: textAt(system.name, 'system.name'),
      platform: textAt(system.platform, 'system.platform') as NodeJS.Platform,
      release: textAt(system.release, 'system.release'),
      arch: textAt(system.arch, 'system.arch'),
      node: textAt(system.node, 'system.node'),
      cpu: textAt(system.cpu, 'system.cpu'),
      cores: numberAt(system.cores, 'system.cores'),
      wine: system.wine === true,
    },
    ...(loopback === undefined ? {} : { loopback }),
    shapes: listAt(result.shapes, 'shapes').map((one, index) => shapeOf(one, `shapes[${index}]`)),
  };
}

function shapeOf(value: unknown, name: string): SavedResult['shapes'][number] {
  const { kind, bytes, connections, measured } = objectAt(value, name);
  if (kind !== 'round-trip' && kind !== 'throughput' && kind !== 'connects') {
    throw new TypeError(`${name}.kind is of no known kind`);
  }
  return {
    kind,
    bytes: numberAt(bytes, `${name}.bytes`),
    connections: numberAt(connections, `${name}.connections`),
    measured: listAt(measured, `${name}.measured`).flatMap((one, index) => {
      const where = `${name}.measured[${index}]`;
      const { path, speeds } = objectAt(one, where);
      // A later version may know more of them.
      if (typeof path !== 'string' || !Object.hasOwn(PATHS, path)) return [];
      const list = listAt(speeds, `${where}.speeds`);
      for (const speed of list) {
        if (speed !== null && !(numberAt(speed, `${where}.speeds`) > 0)) {
          throw new TypeError(`${where}.speeds has one that is not above 0`);
        }
      }
      return [{ path: path as PathId, speeds: list as (number | null)[] }];
    }),
  };
}

function loopbackOf(settings: Record<string, unknown>): LoopbackSettings {
  return Object.fromEntries(
    Object.entries(settings).map(([name, setting]) => {
      const where = `loopback.${name}`;
      const { value } = objectAt(setting, where);
      return [name, { value: textAt(value, `${where}.value`) }];
    }),
  );
}

function objectAt(value: unknown, name: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null) throw new TypeError(`${name} is no object`);
  return value as Record<string, unknown>;
}

function listAt(value: unknown, name: string): unknown[] {
  if (!Array.isArray(value)) throw new TypeError(`${name} is no list`);
  return value;
}

/** Without what would move the cursor of a terminal. */
function textAt(value: unknown, name: string): string {
  if (typeof value !== 'string') throw new TypeError(`${name} is no text`);
  return value.replace(/\p{Cc}/gu, '');
}

function numberAt(value: unknown, name: string): number {
  if (typeof value !== 'number' || !Number.isFinite(value)) throw new TypeError(`${name} is no number`);
  return value;
}
