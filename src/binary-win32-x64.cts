/** The binary of one platform alone, for bundles that shall not carry the others. */
export = (): unknown => require('../prebuilds/win32-x64/loopback-fast-path.node');
