// `npm run format`: TypeScript and the rest with Biome, C++ with clang-format.

import { installDependencies, isWindows, runPackage } from './run.js';
import { runInside } from './trixie.js';

installDependencies();
runPackage('@biomejs/biome/bin/biome', ['check', '--write', '.']);
if (!isWindows) {
  const files = "native test/recorder -name '*.cc' -o -name '*.h'";
  process.exitCode = await runInside(['sh', '-c', `clang-format -i $(find ${files})`]);
}
