/** What the user can mend; the message says how, and no stack trace is shown. */
export class UsageError extends Error {}
