// Colours of the terminal, where there is one that wants them.

/** Puts a colour around a text, or nothing. */
export interface Paint {
  good(text: string): string;
  bad(text: string): string;
  dim(text: string): string;
  bold(text: string): string;
}

/** What fits a stream: no colour where it is no terminal, or NO_COLOR is set. */
export function paintFor(stream: NodeJS.WriteStream): Paint {
  const coloured = stream.isTTY === true && stream.hasColors();
  const wrap = (on: number, off: number) => (text: string) => (coloured ? `\x1b[${on}m${text}\x1b[${off}m` : text);
  return { good: wrap(32, 39), bad: wrap(31, 39), dim: wrap(2, 22), bold: wrap(1, 22) };
}
