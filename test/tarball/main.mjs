import * as fastPath from 'loopback-fast-path';
import { use } from './use.mjs';

await use(fastPath);
