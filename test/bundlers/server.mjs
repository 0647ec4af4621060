// The program that is bundled. No await at the top: a CommonJS bundle has none.
import * as fastPath from 'loopback-fast-path/win32-x64';
import { use } from './use.mjs';

use(fastPath);
