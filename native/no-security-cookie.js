// Sets IMAGE_GUARD_SECURITY_COOKIE_UNUSED in the load configuration of a linked file:
// there is no security cookie in it, which without the bit looks like one forgotten.
// The constant in native/runtime/guard_cf.cc cannot say so, since lld demands its own
// value there.
//
//   node native/no-security-cookie.js <file>

import { readFileSync, writeFileSync } from 'node:fs';

const IMAGE_GUARD_SECURITY_COOKIE_UNUSED = 0x800;

const [file] = process.argv.slice(2);
const bytes = readFileSync(file);
const coff = bytes.readUInt32LE(0x3c) + 4;
const optional = coff + 20;
const wide = bytes.readUInt16LE(optional) === 0x20b;
const address = bytes.readUInt32LE(optional + (wide ? 112 : 96) + 10 * 8);
const sections = optional + bytes.readUInt16LE(coff + 16);
const section = Array.from({ length: bytes.readUInt16LE(coff + 2) }, (_, index) => sections + index * 40).find(
  (at) => address >= bytes.readUInt32LE(at + 12) && address < bytes.readUInt32LE(at + 12) + bytes.readUInt32LE(at + 16),
);
if (address === 0 || section === undefined) throw new Error(`${file} has no load configuration`);
const configuration = address - bytes.readUInt32LE(section + 12) + bytes.readUInt32LE(section + 20);
const flags = configuration + (wide ? 0x90 : 0x58);
bytes.writeUInt32LE(bytes.readUInt32LE(flags) | IMAGE_GUARD_SECURITY_COOKIE_UNUSED, flags);
writeFileSync(file, bytes);
