/**
 * For `node --import loopback-fast-path/register`, `--require` and NODE_OPTIONS:
 * arms every TCP client and server of the thread, best effort. The rest of the
 * package is loaded when the first of them connects or listens.
 *
 * @packageDocumentation
 */

const { LOOPBACK_FAST_PATH } = process.env;

/** Takes it back and leaves `net` as it was found; sockets that were armed until then stay armed. */
const unregister = process.platform === 'win32' && LOOPBACK_FAST_PATH !== '0' ? register() : () => {};

function register(): () => void {
  const intercept: typeof import('./intercept.cjs') = require('./intercept.cjs');
  return intercept.interceptEverySocket(() => {
    require('./default-binaries.js');
    const processWide: typeof import('./process-wide.js', { with: { 'resolution-mode': 'import' }}) =
      require('./process-wide.js');
    return processWide.treatment();
  });
}

export = { unregister };
