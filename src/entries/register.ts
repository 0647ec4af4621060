/**
 * For `node --require loopback-fast-path/register`, `--import` and NODE_OPTIONS:
 * arms every TCP client and server of the thread, best effort. The rest of the
 * package is loaded when the first of them connects or listens.
 *
 * @packageDocumentation
 */

import { writeSync } from 'node:fs';
import { type Interception, interceptEverything, type Stop } from '../arming/intercept.js';

type Core = typeof import('../core.js');

const { LOOPBACK_FAST_PATH } = process.env;

let stop: Stop = process.platform === 'win32' && LOOPBACK_FAST_PATH !== '0' ? wait() : () => {};

/** Takes it back and leaves `net` as it was found; sockets that were armed until then stay armed. */
export const unregister: () => void = () => stop();

/** Waits for the first socket, and hands over to the registrations of the core. */
function wait(): Stop {
  const first =
    <Name extends keyof Interception>(name: Name) =>
    (subject: Parameters<Interception[Name]>[0]) => {
      let core: Core;
      try {
        core = require('../core.js');
      } catch (error) {
        // The program goes on, and the next socket may have better luck.
        report(error);
        return true;
      }
      stopWaiting();
      stop = core.addRegistration(core.checkOptions(undefined), { first: true });
      return (core.everything[name] as (subject: unknown) => boolean)(subject);
    };
  const stopWaiting = interceptEverything({
    connecting: first('connecting'),
    listening: first('listening'),
    sharing: first('sharing'),
  });
  return stopWaiting;
}

function report(error: unknown): void {
  if (LOOPBACK_FAST_PATH !== 'trace') return;
  try {
    writeSync(2, `loopback-fast-path, process ${process.pid}: not loaded for this socket: ${error}\n`);
  } catch {
    // Nobody reads stderr.
  }
}
