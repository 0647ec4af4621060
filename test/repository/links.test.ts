// Every link of a document leads somewhere: in the repository, and for the documents
// that are shipped, in the tarball as well.

import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { describe, expect, test } from 'vitest';
import { npmCommand, readJson, root } from '../../tools/run.js';

const read = (file: string) => readFileSync(join(root, file), 'utf8').replaceAll('\r', '');
const { scripts } = readJson(join(root, 'package.json'));
const documents = ['', 'docs/'].flatMap((folder) =>
  readdirSync(join(root, folder))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `${folder}${name}`),
);

const [command, args] = npmCommand(['pack', '--dry-run', '--json', '--ignore-scripts', '--loglevel=error']);
const [packed] = JSON.parse(execFileSync(command, args, { cwd: root, encoding: 'utf8' })) as [
  { files: { path: string }[] },
];
const shipped = packed.files.map(({ path }) => path);

/** A document without what is code. */
const proseOf = (file: string) => read(file).replace(/^```[\s\S]*?^```$/gm, '');

/** The anchors of a document, as GitHub and npm make them from its headings. */
const anchorsOf = (file: string) =>
  [...proseOf(file).matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{Letter}\p{Number}_ -]/gu, '')
      .replaceAll(' ', '-'),
  );

interface Link {
  to: string;
  anchor: string | undefined;
}

function relativeLinks(file: string): Link[] {
  return [...proseOf(file).matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target = '']) => target)
    .filter((target) => !/^https?:/.test(target))
    .map((target) => {
      const [path = '', anchor] = target.split('#');
      return { to: path === '' ? file : posix.join(posix.dirname(file), path), anchor };
    });
}

describe.each(documents)('%s', (file) => {
  const links = relativeLinks(file);

  test('every relative link leads to a file, and to a heading of it', () => {
    const broken = links.filter(
      ({ to, anchor }) => !existsSync(join(root, to)) || (anchor !== undefined && !anchorsOf(to).includes(anchor)),
    );
    expect(broken).toEqual([]);
  });

  test('files and scripts that it names are there', () => {
    const names = [...read(file).matchAll(/(?<![\w./-])(?:src|test|tools|native|docs|bench)\/[\w./-]*\w/g)].map(
      ([name]) => name,
    );
    expect(names.filter((name) => !existsSync(join(root, name)))).toEqual([]);
    const started = [...read(file).matchAll(/\bnpm run ([\w:-]+)/g)].map(([, name = '']) => name);
    expect(started.filter((name) => !(name in scripts))).toEqual([]);
  });

  test('issues of others are full links', () => {
    const withoutLinks = proseOf(file).replace(/\[[^\]]*\]\(https?:[^)]*\)|<https?:[^>]*>/g, '');
    expect(withoutLinks.match(/\b[\w-]+\/[\w.-]+#\d+/g)).toBe(null);
  });
});

test.each(shipped.filter((file) => file.endsWith('.md')))('%s leads to nothing outside the tarball', (file) => {
  expect(relativeLinks(file).filter(({ to }) => !shipped.includes(to))).toEqual([]);
});

test('the README leads to every document that is shipped, by as many steps as it takes', () => {
  const reached = new Set(['README.md']);
  for (const file of reached) {
    if (file.endsWith('.md')) for (const { to } of relativeLinks(file)) reached.add(to);
  }
  expect(shipped.filter((file) => file.endsWith('.md') && !reached.has(file))).toEqual([]);
});
