// `npm run format`: TypeScript and the rest with Biome, C++ with clang-format.

import { runInside } from './debian.js';
import { installDependencies, isMain, isWindows, runPackage } from './run.js';

/** Runs clang-format over the C++ of the repository. @throws {Error} when it finds fault. */
export async function clangFormat(...flags) {
  const files = "$(find native bench/native test/recorder test/winsock test/fuzz -name '*.cc' -o -name '*.h')";
  const code = await runInside(['sh', '-c', `clang-format ${flags.join(' ')} ${files}`]);
  if (code !== 0) throw new Error('The native code is not formatted; npm run format does it.');
}

if (isMain(import.meta.url)) {
  await installDependencies();
  await runPackage('@biomejs/biome/bin/biome', ['check', '--write', '.']);
  if (!isWindows) await clangFormat('-i');
}
