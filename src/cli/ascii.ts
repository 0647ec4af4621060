// What every console can show. PowerShell 5 reads what a program prints into a file or
// another program in the code page of the console, which is seldom UTF-8.

const REPLACEMENTS: Record<string, string> = { '█': '#', '×': 'x', µ: 'u', '–': '-', '…': '...', '→': '->' };

/** Whether to do without other characters: where asked to, and on Windows but for a console. */
export function isAsciiOnly(
  stream: { readonly isTTY?: boolean },
  wanted = false,
  system: NodeJS.Platform = process.platform,
): boolean {
  return wanted || (system === 'win32' && stream.isTTY !== true);
}

/** Text for people. What is not ours, such as the system's messages, stays as it is. */
export function toAscii(text: string): string {
  return text.replace(/[█×µ–…→]/g, (character) => REPLACEMENTS[character] ?? character);
}

/** The same JSON, with escapes for whatever is not ASCII. */
export function toAsciiJson(json: string): string {
  return json.replace(/[\u0080-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
