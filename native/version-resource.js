// Writes the version resource of the shipped binary, for llvm-rc and for MSVC's rc:
// what Windows shows of the file in its properties, and what antivirus products
// read. All of it comes from package.json and LICENSE, so it cannot differ from them.
//
//   node native/version-resource.js <file to write>
//
// Prints the file's name, for binding.gyp.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

const read = (file) => readFileSync(new URL(`../${file}`, import.meta.url), 'utf8');

const { name, version, description, license } = JSON.parse(read('package.json'));
const [copyright] = /^Copyright .*$/m.exec(read('LICENSE'));
const [, major, minor, patch, prerelease] = /^(\d+)\.(\d+)\.(\d+)(-.+)?$/.exec(version);
const numbers = `${major},${minor},${patch},0`;

const strings = {
  CompanyName: copyright.replace(/^Copyright \(c\) \d+ /, ''),
  FileDescription: description,
  FileVersion: version,
  InternalName: name,
  LegalCopyright: `${copyright}. ${license} licence.`,
  OriginalFilename: `${name}.node`,
  ProductName: name,
  ProductVersion: version,
};
const values = Object.entries(strings).map(([key, value]) => {
  // Neither compiler of resources asks which encoding a file is in, and both have escapes of their own.
  if (!/^[ -!#-[\]-~]+$/.test(value)) throw new Error(`${key} must be plain ASCII, without " and \\: ${value}`);
  return `      VALUE "${key}", "${value}"`;
});

// Numbers where <winver.h> has names: neither compiler needs a header then.
// FILEFLAGS VS_FF_PRERELEASE, FILEOS VOS_NT_WINDOWS32, FILETYPE VFT_DLL; US English, UTF-16.
const [file] = process.argv.slice(2);
mkdirSync(dirname(file), { recursive: true });
writeFileSync(
  file,
  `1 VERSIONINFO
FILEVERSION ${numbers}
PRODUCTVERSION ${numbers}
FILEFLAGSMASK 0x3f
FILEFLAGS ${prerelease === undefined ? '0x0' : '0x2'}
FILEOS 0x40004
FILETYPE 0x2
BEGIN
  BLOCK "StringFileInfo"
  BEGIN
    BLOCK "040904b0"
    BEGIN
${values.join('\n')}
    END
  END
  BLOCK "VarFileInfo"
  BEGIN
    VALUE "Translation", 0x409, 1200
  END
END
`,
);
console.log(file);
