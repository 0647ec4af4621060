// docs/conformance.md says of each statement of docs/platform.md what the package does
// about it and which test shows it. A title of a test names the statements it shows:
// R8, B3, "R1 to R8". `npm run conformance` writes it.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { root } from '../../tools/run.js';

const WORKFLOW = '.github/workflows/windows.yml';

const ERROR = 'A failure with this code, its number and advice, in the status; traffic takes the ordinary path.';

/**
 * What is done about each statement; `windows`: what only Windows can show, and
 * the command of the CI job that does.
 */
const DONE: Record<string, { text: string; windows?: { command: string; shows: string } }> = {
  R1: { text: 'The number is defined in `native/fast_path.cc`.' },
  R2: { text: 'Pipes and what imitates a socket are skipped: `not-tcp`.' },
  R3: { text: 'A 4-byte BOOL, TRUE or FALSE.' },
  R4: { text: 'The size is 4.' },
  R5: { text: 'No output buffer, size 0.' },
  R6: { text: 'A place for the byte count is given; its value is not looked at.' },
  R7: { text: 'Synchronous: no OVERLAPPED, no routine.' },
  R8: { text: '`WSAGetLastError()` is read right after the call; the return value says only whether it failed.' },
  R9: {
    text: 'Where the answer is WSAEOPNOTSUPP, `SIO_BASE_HANDLE` is asked for and the base socket gets the ioctl once.',
  },
  ...Object.fromEntries(Array.from({ length: 10 }, (_, index) => [`E${index + 1}`, { text: ERROR }])),
  B1: {
    text: 'Each end is armed on its own; the README says that both must be.',
  },
  B2: { text: 'IPv4 by default; IPv6 only on request, because of the hazard.' },
  B3: { text: 'A client gets it right before each ConnectEx, in `src/arming/connect-gate.ts`.' },
  B4: { text: 'A server gets it between bind and listen; accepted SOCKETs are left to Windows.' },
  B5: { text: 'Disabling what was applied is refused: `…_TOO_LATE`.' },
  B6: { text: 'Only loopback addresses get it: `not-loopback`.' },
  B7: {
    text: 'This is what it is for. Not shown under Wine, nor claimed; `bench` measures it.',
    windows: {
      command: 'main.js bench --quick',
      shows: 'latency, throughput and connects, plain and with it on both ends',
    },
  },
  B8: { text: 'Nothing of ours is on a connected socket, so backpressure is Node’s.' },
  B9: { text: 'Success is called `applied`, never active.' },
  B10: { text: 'Only a socket or server that was enabled gets it.' },
  B11: { text: 'Options are left to Node and its users, which set them together with it.' },
  B12: { text: 'The README says so; the binaries are built for Windows 8.' },
  B13: { text: 'The status is what the system answered; it is not asked again.' },
  K1: { text: 'Not reachable from Node; [other-ends.md](other-ends.md) has the call for a driver.' },
  K2: { text: 'A WSK peer is the other end of a session; see [other-ends.md](other-ends.md).' },
};

function statements() {
  const platform = readFileSync(join(root, 'docs/platform.md'), 'utf8');
  return [...platform.matchAll(/^\| ([REBK]\d+) \| (.*) \|$/gm)].map(([, id = '', text = '']) => {
    // An error is its name; anything else its first sentence.
    return { id, short: id.startsWith('E') ? text.split(' | ')[0] : /^.*?\.(?= |$)/.exec(text)?.[0] };
  });
}

/** "R1 to R8" and "B3" as the statements they mean. */
function* named(text: string): Generator<string> {
  for (const [, kind, first, last] of text.matchAll(/\b([REBK])(\d{1,2})(?: to \1(\d{1,2}))?\b/g)) {
    for (let number = Number(first); number <= Number(last ?? first); ++number) yield `${kind}${number}`;
  }
}

/** Titles of tests that name statements. */
function taggedTests() {
  const folder = join(root, 'test');
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((file) => file.replaceAll('\\', '/'))
    .filter((file) => file.endsWith('.test.ts'))
    .sort()
    .flatMap((file) => {
      const source = readFileSync(join(folder, file), 'utf8');
      // A title is the first argument of test(), describe() or what their each() and skipIf() return.
      const titles = source.matchAll(/(?:\b(?:test|describe)|\))\(\s*('(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*")/g);
      return [...titles].map(([, quoted = '']) => {
        const title = quoted.slice(1, -1).replaceAll("\\'", "'");
        return { file: `test/${file}`, title, ids: [...named(title)] };
      });
    })
    .filter(({ ids }) => ids.length > 0);
}

const known = statements();
const ids = known.map(({ id }) => id);
const tests = taggedTests();

/** What shows a statement: tests, and a job on Windows. */
function shownBy(id: string): string[] {
  const shown = tests
    .filter((each) => each.ids.includes(id))
    .map(({ file, title }) => `[${file.slice(5)}](../${file}): ${title.replaceAll('|', '\\|')}`);
  const windows = DONE[id]?.windows;
  if (windows === undefined) return shown;
  return [...shown, `On Windows alone: [windows.yml](../${WORKFLOW}), \`${windows.command}\`: ${windows.shows}`];
}

test('every title names statements that are there', () => {
  const unknown = tests.flatMap(({ file, title, ids: named }) =>
    named.filter((id) => !ids.includes(id)).map((id) => `${file}: "${title}" names ${id}`),
  );
  expect(unknown).toEqual([]);
});

test('the table covers each statement, and no other', () => {
  expect(Object.keys(DONE).sort()).toEqual([...ids].sort());
});

test('something shows each statement', () => {
  expect(ids.filter((id) => shownBy(id).length === 0)).toEqual([]);
});

test('the workflow runs what only Windows can show', () => {
  const workflow = readFileSync(join(root, WORKFLOW), 'utf8');
  for (const { windows } of Object.values(DONE)) if (windows) expect(workflow).toContain(windows.command);
});

test('docs/conformance.md says so', async () => {
  const rows = known.map(({ id, short }) => `| ${id} | ${short} | ${DONE[id]?.text} | ${shownBy(id).join('<br>')} |`);
  await expect(`# What is done about each statement of the platform

Made by \`npm run conformance\` from the statements of [platform.md](platform.md) (shown
here by their beginning), \`test/repository/conformance.test.ts\` and the titles of the
tests. Under Wine the ioctl is answered by \`test/recorder\`, or by \`test/winsock\` where
a test leaves it to the system; on Windows the same tests run in CI.

| # | statement | what the package does | shown by |
| --- | --- | --- | --- |
${rows.join('\n')}
`).toMatchFileSnapshot(join(root, 'docs/conformance.md'));
});
