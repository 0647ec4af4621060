// The main entry point, and those for one platform, as Node imports them: a file
// fewer to open, because core.cjs finds the installed binaries by itself.

export * from '../api.js';
