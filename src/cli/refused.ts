/** An error as JSON has it. */
export interface Refused {
  readonly code: string;
  readonly message: string;
}

export function refused({ code = 'UNKNOWN', message }: { code?: string | undefined; message: string }): Refused {
  return { code, message };
}
