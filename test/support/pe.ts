// Reads what a Windows binary says of itself: the parts of the PE format that a
// test of a shipped .node file asks for.

import { readFileSync } from 'node:fs';

export interface PortableExecutable {
  size: number;
  machine: 'x64' | 'arm64' | 'ia32' | string;
  /** Names of the flags that are set in DllCharacteristics. */
  characteristics: string[];
  /** DLL, in capitals, to the names of its functions. */
  imports: Record<string, string[]>;
  delayImports: Record<string, string[]>;
  exports: string[];
  sections: { name: string; writable: boolean; executable: boolean }[];
  /** Address of the code run when it is loaded; 0 for none. */
  entryPoint: number;
  /** What the load configuration says of the guards; 0 where there is none. */
  guardFlags: number;
  /** The strings of the version resource, and the four numbers that Windows compares as `fileVersion`. */
  version: Record<string, string>;
  /** Whether a debug directory names a file of the machine that built it. */
  debugPath: boolean;
}

const MACHINES: Record<number, string> = { 34404: 'x64', 43620: 'arm64', 332: 'ia32' };

const CHARACTERISTICS: Record<number, string> = {
  32: 'HIGH_ENTROPY_VA',
  64: 'DYNAMIC_BASE',
  256: 'NX_COMPAT',
  1024: 'NO_SEH',
  16384: 'GUARD_CF',
};

const DIRECTORY = { exports: 0, imports: 1, resources: 2, debug: 6, loadConfiguration: 10, delayImports: 13 } as const;
const CODEVIEW = 2;
const RT_VERSION = 16;

/**
 * The strings in a version resource: a tree of blocks, each with its size, the size of
 * its value, whether that is text, a name, the value, and the blocks below it.
 */
function versionStrings(resource: Buffer): Record<string, string> {
  const found: Record<string, string> = {};
  const aligned = (offset: number) => (offset + 3) & ~3;
  const readBlock = (start: number): number => {
    const [size, valueSize, isText] = [0, 2, 4].map((field) => resource.readUInt16LE(start + field)) as [
      number,
      number,
      number,
    ];
    let nameEnd = start + 6;
    while (resource.readUInt16LE(nameEnd) !== 0) nameEnd += 2;
    const name = resource.toString('utf16le', start + 6, nameEnd);
    const value = aligned(nameEnd + 2);
    if (name === 'VS_VERSION_INFO') {
      // VS_FIXEDFILEINFO: the high and the low half of the file's version are its third and fourth field.
      const numbers = [10, 8, 14, 12].map((offset) => resource.readUInt16LE(value + offset));
      found.fileVersion = numbers.join('.');
    } else if (isText === 1 && valueSize > 0) {
      found[name] = resource.toString('utf16le', value, value + valueSize * 2).replace(/\0+$/, '');
    }
    const end = start + size;
    let below = aligned(value + (isText === 1 ? valueSize * 2 : valueSize));
    while (below < end) below = aligned(readBlock(below));
    return end;
  };
  readBlock(0);
  return found;
}

export function readPortableExecutable(file: string): PortableExecutable {
  const bytes = readFileSync(file);
  const u16 = (offset: number) => bytes.readUInt16LE(offset);
  const u32 = (offset: number) => bytes.readUInt32LE(offset);

  const coff = u32(0x3c) + 4;
  if (bytes.toString('latin1', coff - 4, coff) !== 'PE\0\0') throw new Error(`${file} is no PE file`);
  const optional = coff + 20;
  const wide = u16(optional) === 0x20b;
  const directories = optional + (wide ? 112 : 96);
  const sectionTable = optional + u16(coff + 16);
  const sections = Array.from({ length: u16(coff + 2) }, (_, index) => {
    const at = sectionTable + index * 40;
    return {
      name: bytes.toString('latin1', at, at + 8).replace(/\0+$/, ''),
      address: u32(at + 12),
      size: u32(at + 16),
      offset: u32(at + 20),
      flags: u32(at + 36),
    };
  });

  const at = (address: number) => {
    const section = sections.find((each) => address >= each.address && address < each.address + each.size);
    if (section === undefined) throw new Error(`nothing at address ${address}`);
    return address - section.address + section.offset;
  };
  const text = (address: number) => {
    const start = at(address);
    return bytes.toString('latin1', start, bytes.indexOf(0, start));
  };
  const directory = (index: number) => u32(directories + index * 8);
  const thunk = wide ? 8 : 4;

  /** Names in a list of thunks; imports by number as `#number`. */
  function names(list: number): string[] {
    const found: string[] = [];
    for (let entry = at(list); ; entry += thunk) {
      const value = wide ? bytes.readBigUInt64LE(entry) : BigInt(u32(entry));
      if (value === 0n) return found;
      const byNumber = value >> BigInt(thunk * 8 - 1) === 1n;
      found.push(byNumber ? `#${value & 0xffffn}` : text(Number(value) + 2));
    }
  }

  /** A table of DLLs: where an entry has its name and its list of thunks. */
  function dlls(table: number, entrySize: number, nameField: number, listField: number): Record<string, string[]> {
    const found: Record<string, string[]> = {};
    if (table === 0) return found;
    for (let entry = at(table); u32(entry + nameField) !== 0; entry += entrySize) {
      found[text(u32(entry + nameField)).toUpperCase()] = names(u32(entry + listField));
    }
    return found;
  }

  /** The first entry of a directory of resources, or the one with the number `id`: where it leads. */
  function resourceEntry(table: number, id?: number): number | undefined {
    const entries = Array.from({ length: u16(table + 12) + u16(table + 14) }, (_, index) => table + 16 + index * 8);
    const entry = entries.find((each) => id === undefined || u32(each) === id);
    return entry === undefined ? undefined : u32(entry + 4) & 0x7fffffff;
  }

  /** The version resource: by type, the first by name, the first by language. */
  function version(): Record<string, string> {
    const address = directory(DIRECTORY.resources);
    if (address === 0) return {};
    const table = at(address);
    const type = resourceEntry(table, RT_VERSION);
    const name = type === undefined ? undefined : resourceEntry(table + type);
    const language = name === undefined ? undefined : resourceEntry(table + name);
    if (language === undefined) return {};
    const start = at(u32(table + language));
    return versionStrings(bytes.subarray(start, start + u32(table + language + 4)));
  }

  const exportTable = directory(DIRECTORY.exports);
  const exportNames = exportTable === 0 ? 0 : u32(at(exportTable) + 32);
  const loadConfiguration = directory(DIRECTORY.loadConfiguration);
  const debugTable = directory(DIRECTORY.debug);
  const debugEntries = debugTable === 0 ? 0 : u32(directories + DIRECTORY.debug * 8 + 4) / 28;

  return {
    size: bytes.length,
    machine: MACHINES[u16(coff)] ?? `0x${u16(coff).toString(16)}`,
    characteristics: Object.entries(CHARACTERISTICS).flatMap(([bit, name]) =>
      u16(optional + 70) & Number(bit) ? [name] : [],
    ),
    imports: dlls(directory(DIRECTORY.imports), 20, 12, 0),
    delayImports: dlls(directory(DIRECTORY.delayImports), 32, 4, 16),
    exports: Array.from({ length: exportTable === 0 ? 0 : u32(at(exportTable) + 24) }, (_, index) =>
      text(u32(at(exportNames) + index * 4)),
    ),
    sections: sections.map(({ name, flags }) => ({
      name,
      writable: (flags & 0x80000000) !== 0,
      executable: (flags & 0x20000000) !== 0,
    })),
    entryPoint: u32(optional + 16),
    guardFlags: loadConfiguration === 0 ? 0 : u32(at(loadConfiguration) + (wide ? 0x90 : 0x58)),
    version: version(),
    debugPath: Array.from({ length: debugEntries }, (_, index) => at(debugTable) + index * 28).some((entry) => {
      if (u32(entry + 12) !== CODEVIEW) return false;
      const start = u32(entry + 24) + 24;
      return bytes[start] !== 0;
    }),
  };
}
