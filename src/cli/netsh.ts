// The settings of Windows 10 1809, Server 2019 and later for loopback TCP as a whole:
// what came after the fast path. Only read here; docs/measuring.md explains them.

import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { systemFolder } from './system.js';

/**
 * What differs from the default, as commands of netsh: its own words in every language
 * of Windows. Paste it into a console to see; no administrator is needed.
 */
export const NETSH_DUMP = 'netsh int ipv4 dump';

/** What is in force, with labels in the language of Windows. */
export const NETSH_SHOW_GLOBAL = 'netsh int ipv4 show global';

const NAMES = ['loopbackexecutionmode', 'loopbackworkercount', 'loopbacklargemtu'] as const;
type Name = (typeof NAMES)[number];

export interface LoopbackSetting {
  /** In netsh's words: `inline`, `4`, `enabled`. */
  readonly value: string;
  /** Whether somebody set it: NETSH_DUMP prints what differs from the default. Absent where it cannot be read. */
  readonly changed?: boolean;
}

/** By netsh's own names; one that is not known is absent. */
export type LoopbackSettings = { readonly [name in Name]?: LoopbackSetting };

/** What they are for IPv4; undefined where none is known. */
export async function readLoopbackSettings(): Promise<LoopbackSettings | undefined> {
  if (process.platform !== 'win32') return undefined;
  const settings = parseLoopbackSettings(await run(NETSH_DUMP), await run(NETSH_SHOW_GLOBAL));
  return Object.keys(settings).length === 0 ? undefined : settings;
}

/** `loopbackexecutionmode=inline (changed)`, or `… not known`, for each. */
export function describeLoopbackSettings(settings: LoopbackSettings = {}): string[] {
  return NAMES.map((name) => {
    const { value, changed } = settings[name] ?? {};
    if (value === undefined) return `${name} not known`;
    return `${name}=${value}${changed === undefined ? '' : changed ? ' (changed)' : ' (default)'}`;
  });
}

/** From what NETSH_DUMP and NETSH_SHOW_GLOBAL print. */
export function parseLoopbackSettings(dump: string, global: string): LoopbackSettings {
  const shown = parseShowGlobal(global);
  const set = parseDump(dump);
  const found: { [name in Name]?: LoopbackSetting } = {};
  for (const name of NAMES) {
    const value = set?.get(name) ?? shown[name];
    if (value !== undefined) found[name] = { value, ...(set === undefined ? {} : { changed: set.has(name) }) };
  }
  return found;
}

/** What `set global` sets; undefined where it is no dump. */
function parseDump(text: string): Map<string, string> | undefined {
  if (!/^\s*pushd interface ipv4\s*$/im.test(text)) return undefined;
  const lines = text.split(/\r?\n/).filter((line) => /^\s*set gl(obal)?\s/i.test(line));
  const words = lines.flatMap((line) => line.trim().split(/\s+/).slice(2));
  return new Map(
    words.map((word): [string, string] => {
      const [name = '', value = ''] = word.toLowerCase().split('=');
      return [name, value];
    }),
  );
}

/**
 * Labels are translated, values are not. So the mode is known by its value, which
 * nothing else there has; the others where the label says "loopback", which not
 * every language translates. What is not the only one of its kind is not taken.
 */
function parseShowGlobal(text: string): { [name in Name]?: string } {
  const rows = text.split(/\r?\n/).flatMap((line): [label: string, value: string][] => {
    const [, label, value] = /^(.*?)\s*:\s*(\S.*?)\s*$/.exec(line) ?? [];
    return label === undefined || value === undefined ? [] : [[label.toLowerCase(), value.toLowerCase()]];
  });
  const only = (wanted: (label: string, value: string) => boolean) => {
    const found = rows.filter(([label, value]) => wanted(label, value));
    return found.length === 1 ? found[0]?.[1] : undefined;
  };
  const values = {
    loopbackexecutionmode: only((_label, value) => /^(adaptive|inline|worker)$/.test(value)),
    loopbackworkercount: only((label, value) => label.includes('loopback') && /^\d+$/.test(value)),
    loopbacklargemtu: only((label, value) => label.includes('loopback') && /^(enabled|disabled)$/.test(value)),
  };
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}

/** What a command of netsh prints; empty where it cannot be had. */
function run(command: string): Promise<string> {
  const [, ...words] = command.split(' ');
  const options = { timeout: 10_000, windowsHide: true, encoding: 'latin1' } as const;
  return new Promise((resolve) => {
    execFile(join(systemFolder(), 'netsh.exe'), words, options, (error, stdout) =>
      resolve(error === null ? stdout : ''),
    );
  });
}
