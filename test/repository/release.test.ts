// The steps of windows.yml that fill in the manifest, pack and publish, as they stand
// there. Not shown: the registry, and provenance, which GitHub alone can vouch for.

import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { isWindows, readJson, root, run } from '../../tools/run.js';
import { filesIn, pack, temporaryFolder } from '../support/package.js';

interface Job {
  steps: { run?: string; uses?: string }[];
}

const { jobs } = parse(readFileSync(join(root, '.github/workflows/windows.yml'), 'utf8')) as {
  jobs: { pack: Job; publish: Job };
};

/** The commands of a job from the first that contains `text`. */
function commandsFrom(job: Job, text: string): string[] {
  const commands = job.steps.flatMap(({ run }) => run ?? []);
  return commands.slice(commands.findIndex((command) => command.includes(text)));
}

const { name, version } = readJson(join(root, 'package.json'));

// The jobs run on Ubuntu.
describe.skipIf(isWindows)('a release [its jobs do not run on Windows]', () => {
  const folder = temporaryFolder();
  const requests: string[] = [];
  const registry = createServer((request, response) => {
    requests.push(`${request.method} ${request.url}`);
    response.writeHead(404, { 'content-type': 'application/json' }).end('{}');
  });
  let env: NodeJS.ProcessEnv;

  /** Runs the commands of a job. @returns how they ended, and what they printed */
  async function runJob(commands: string[], cwd: string, more: NodeJS.ProcessEnv = {}) {
    const shell = ['--noprofile', '--norc', '-eo', 'pipefail', '-c', commands.join('\n')];
    const child = spawn('bash', shell, { cwd, env: { ...env, ...more }, timeout: 60_000 });
    const output: Buffer[] = [];
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => output.push(data));
    const [status] = await once(child, 'close');
    return { status, output: Buffer.concat(output).toString() };
  }

  /** What the job `publish` finds: the checkout, and the tarball of a package that is changed by `change`. */
  async function workspace(what: string, change: (contents: string) => void): Promise<string> {
    const place = join(folder, what);
    cpSync(join(folder, 'package'), join(place, 'contents'), { recursive: true });
    change(join(place, 'contents'));
    const { status, output } = await runJob(commandsFrom(jobs.pack, 'fill-repository'), join(place, 'contents'));
    expect({ status, output }).toMatchObject({ status: 0 });
    const [tarball = ''] = filesIn(join(place, 'contents')).filter((file) => file.endsWith('.tgz'));
    for (const each of ['tools', 'prebuilds']) symlinkSync(join(root, each), join(place, each));
    mkdirSync(join(place, 'tarball'));
    cpSync(join(place, 'contents', tarball), join(place, 'tarball', tarball));
    return place;
  }

  beforeAll(async () => {
    registry.listen(0, '127.0.0.1');
    await once(registry, 'listening');
    env = {
      ...process.env,
      GITHUB_SERVER_URL: 'https://github.com',
      GITHUB_REPOSITORY: 'somebody/loopback-fast-path',
      npm_config_registry: `http://127.0.0.1:${(registry.address() as AddressInfo).port}`,
    };
    await run('tar', ['-xzf', await pack(folder)], { cwd: folder });
    // What a person has done by the time of a tag.
    const edit = (file: string, action: (text: string) => string) => {
      const path = join(folder, 'package', file);
      writeFileSync(path, action(readFileSync(path, 'utf8')));
    };
    edit('README.md', (text) => text.replaceAll('not published yet', 'published'));
    edit('CHANGELOG.md', (text) => text.replace('## [Unreleased]', `## [${version}]`));
    // The workflow runs this for the repository, where tools/ is.
    symlinkSync(join(root, 'tools'), join(folder, 'package/tools'));
  });

  afterAll(() => registry.close());

  /** The job `publish` in such a workspace, with a registry that gets nothing. */
  function publish(place: string) {
    const tag = { GITHUB_REF_NAME: `v${version}`, npm_config_dry_run: 'true' };
    return runJob(commandsFrom(jobs.publish, 'release.js'), place, tag);
  }

  test('publishes the tarball that was packed, with the repository of the workflow', async () => {
    const place = await workspace('as it is', () => {});
    const { status, output } = await publish(place);
    expect({ status, output }).toMatchObject({ status: 0 });
    expect(output).toContain(`+ ${name}@${version}`);
    expect(requests.filter((request) => !request.startsWith('GET'))).toEqual([]);
    const [tarball = ''] = readdirSync(join(place, 'tarball'));
    const manifest = execFileSync('tar', ['-xzOf', join(place, 'tarball', tarball), 'package/package.json']);
    expect(JSON.parse(String(manifest)).repository).toEqual({
      type: 'git',
      url: 'git+https://github.com/somebody/loopback-fast-path.git',
    });
  });

  const manifest = (contents: string, change: object) => {
    const file = join(contents, 'package.json');
    writeFileSync(file, JSON.stringify({ ...readJson(file), ...change }));
  };

  test.each<[string, (contents: string) => void, string]>([
    ['another repository', (contents) => manifest(contents, { repository: { url: 'x' } }), 'repository.url is x'],
    ['another version', (contents) => manifest(contents, { version: '9.9.9' }), 'it is version 9.9.9'],
    [
      'no binary for arm64',
      (contents) => manifest(contents, { files: ['dist', 'prebuilds/win32-x64', 'prebuilds/win32-ia32', '*.md'] }),
      'package/prebuilds/win32-arm64/loopback-fast-path.node is missing',
    ],
    [
      'a README of an unpublished package',
      (contents) => writeFileSync(join(contents, 'README.md'), 'It is not published yet.'),
      'README.md says that the package is not published yet',
    ],
    [
      'no word about the version in the changelog',
      (contents) => writeFileSync(join(contents, 'CHANGELOG.md'), '## [Unreleased]'),
      `CHANGELOG.md has no section for ${version}`,
    ],
  ])('refuses a tarball with %s', async (what, change, problem) => {
    const { status, output } = await publish(await workspace(what, change));
    expect(status).toBe(1);
    expect(output).toContain(problem);
    expect(output).not.toContain('+ loopback');
  });
});
