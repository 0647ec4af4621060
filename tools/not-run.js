// The lines of src/ that no test of `npm test` runs on Linux, each with its reason. Without
// `lines` it is the whole file.

/** @type {{ file: string, lines?: string[], why: string }[]} */
export const NOT_RUN = [];
