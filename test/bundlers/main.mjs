// The same with the main entry point, whose bundle carries every binary.
import * as fastPath from 'loopback-fast-path';
import { use } from './use.mjs';

use(fastPath);
