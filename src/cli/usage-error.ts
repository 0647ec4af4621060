/** A mistake in how the command is used: shown as its message, without a stack trace. */
export class UsageError extends Error {}
