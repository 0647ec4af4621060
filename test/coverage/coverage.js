// What of src/ the tests have run, by V8: of every process of every run, under Wine too,
// merged. Each run leaves it in a folder of its own in build/coverage.

import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { isMain, isWindows, readJson, root } from '../../tools/run.js';

const folder = join(root, 'build', 'coverage');

/**
 * The lines that no test of `npm test` runs on Linux, as V8 counts them, each with its reason; without
 * `lines` the whole file.
 *
 * @type {{ file: string, lines?: string[], why: string }[]}
 */
const NOT_RUN = readJson(join(import.meta.dirname, 'not-run.json'));

/** For a run of that name on this system. */
export const coverageVariables = (name) => ({ NODE_V8_COVERAGE: join(folder, name) });

/** For one under Wine, where the checkout is elsewhere. */
export const coverageVariablesUnderWine = (name) => ({ NODE_V8_COVERAGE: `Z:\\checkout\\build\\coverage\\${name}` });

export const forgetCoverage = () => rmSync(folder, { recursive: true, force: true });

const CHECKOUTS = [pathToFileURL(root).href, 'file:///Z:/checkout/'];

/** The file of dist/ behind a URL that V8 tells; undefined for any other. */
function fileOf(url) {
  const checkout = CHECKOUTS.find((each) => url.startsWith(`${each}dist/`));
  return checkout === undefined ? undefined : url.slice(checkout.length);
}

/** The files of dist/ that come from src/. */
function builtFiles() {
  return readdirSync(join(root, 'dist'), { recursive: true })
    .filter((name) => name.endsWith('.map'))
    .map((name) => `dist/${name.replaceAll('\\', '/').replace(/\.map$/, '')}`);
}

/** What a process told at its end: nothing, where it was killed while it wrote. */
function readReport(file) {
  try {
    return readJson(file).result;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return [];
  }
}

/** What V8 told of each file of dist/, one for each time that it was loaded. */
function readRuns() {
  const runs = new Map(builtFiles().map((file) => [file, []]));
  const reports = existsSync(folder) ? readdirSync(folder, { recursive: true }) : [];
  for (const name of reports.filter((each) => /coverage-[\d-]+\.json$/.test(each))) {
    for (const { functions, ...script } of readReport(join(folder, name))) {
      // The V8 of Node 20 says of these that the whole class was not run.
      const told = functions.filter(({ functionName }) => functionName !== '<instance_members_initializer>');
      runs.get(fileOf(script.url))?.push({ ...script, functions: told });
    }
  }
  return runs;
}

/**
 * The lines of src/ with something to run, and which of them nothing has run.
 *
 * @returns {Promise<{ file: string, lines: number, notRun: { line: number, text: string }[] }[]>}
 */
async function readCoverage() {
  // Not at the top: whoever runs the tests may not have installed them yet.
  const { mergeScriptCovs } = await import('@bcoe/v8-coverage');
  const { CoverageReport } = await import('monocart-coverage-reports');
  const report = new CoverageReport({ logging: 'error', reports: [], outputDir: join(folder, 'report') });
  const entries = [...readRuns()].map(([file, scripts]) => {
    const source = readFileSync(join(root, file), 'utf8');
    // V8 knows nothing of what was never loaded: a file of which nothing was run.
    const ranges = [{ startOffset: 0, endOffset: source.length, count: 0 }];
    const { functions } = mergeScriptCovs(scripts) ?? {
      functions: [{ functionName: '', isBlockCoverage: true, ranges }],
    };
    return { url: file, source, sourceMap: readJson(join(root, `${file}.map`)), functions };
  });
  await report.add(entries);
  const { files } = await report.generate();
  return files.map(({ sourcePath, source, data }) => {
    const text = source.split('\n');
    const notRun = Object.entries(data.lines)
      .filter(([, hits]) => hits === 0)
      .map(([line]) => ({ line: Number(line), text: text[line - 1].trim() }))
      // Closing brackets go with what is before them.
      .filter(({ text }) => /\w/.test(text));
    return { file: sourcePath, lines: Object.keys(data.lines).length, notRun };
  });
}

/**
 * Prints how much of src/ the tests have run, and what they have not.
 *
 * @param {{ complete?: boolean }} options whether all the runs that there are have passed; a single Node
 *   leaves lines to others
 * @throws {Error} where a line has neither a test nor a reason in test/coverage/not-run.json
 */
export async function printCoverage({ complete = !isWindows } = {}) {
  if (builtFiles().length === 0) {
    console.log('Coverage: not told of a packed dist/, which has no source maps.');
    return;
  }
  const files = await readCoverage();
  const sum = (numbers) => numbers.reduce((a, b) => a + b, 0);
  const lines = sum(files.map((each) => each.lines));
  const run = lines - sum(files.map(({ notRun }) => notRun.length));
  console.log(`Coverage of src/: ${run} of ${lines} lines (${((100 * run) / lines).toFixed(1)} %)`);
  const known = new Set();
  let unexplained = 0;
  for (const { file, notRun } of files) {
    for (const { line, text } of notRun) {
      const reason = NOT_RUN.find((each) => each.file === file && (each.lines ?? [text]).includes(text));
      if (reason !== undefined) known.add(reason);
      else unexplained += 1;
      if (reason === undefined || complete) console.log(`  ${file}:${line}  ${text}  (${reason?.why ?? 'no test'})`);
    }
  }
  if (!complete) return;
  for (const { file, why } of NOT_RUN.filter((reason) => !known.has(reason))) {
    console.log(`  ${file} has been run now; test/coverage/not-run.json need not say: ${why}`);
  }
  if (unexplained > 0) throw new Error(`coverage: ${unexplained} lines of src/ without a test or a reason`);
}

if (isMain(import.meta.url)) await printCoverage();
