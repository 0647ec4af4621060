// A result of `bench` that was not measured: every verdict, every kind of plot,
// text that would be markup, and something that failed.

import { describeShape, PATHS, pathsFor, SHAPES } from '../../dist/cli/bench/plan.js';

const FACTORS = { tcp4: 1, 'tcp4-fast': 1.6, 'tcp4-fast-client': 1, tcp6: 0.8, pipe: 2.2 };
const UNITS = { 'round-trip': 40_000, throughput: 1.2e9, connects: 9000 };

/** @param {{ wine?: boolean, interrupted?: boolean }} options */
export function inventedResult({ wine = false, interrupted = false } = {}) {
  const ids = pathsFor({ same: false, native: false });
  return {
    tool: 'loopback-fast-path bench',
    version: '0.0.0',
    date: '2026-11-21T10:00:00.000Z',
    system: {
      name: wine ? 'Wine (as Windows 10 Pro)' : 'Windows <script>alert("x")</script>',
      ...{ platform: 'win32', release: '10.0.0', arch: 'x64', node: 'v0.0.0', cpu: 'Invented & Sons', cores: 8, wine },
    },
    settings: { quick: false, same: false, rounds: 40 },
    seconds: 90.1,
    interrupted,
    paths: ids.map((id) => ({ id, title: PATHS[id].title })),
    leftOut: [{ id: 'native-tcp4', title: PATHS['native-tcp4'].title, reason: 'invented <b>reason</b>' }],
    confidence: 0.99955,
    shapes: SHAPES.map((shape, index) => ({
      ...shape,
      title: describeShape(shape),
      measured: ids.map((path) => measured(shape, path, index)),
      comparisons: ids.slice(1).map((path) => comparison(path, index)),
    })),
  };
}

function measured(shape, path, index) {
  // One that failed at once, and one that failed later.
  if (path === 'tcp6' && index === 0)
    return { path, speeds: [null, null], speed: null, failure: 'invented <i>failure</i>' };
  const speed = UNITS[shape.kind] * FACTORS[path];
  const time = 1e9 / speed;
  const latency = {
    p50: time * 0.9,
    p90: time * 1.4,
    p99: time * 3,
    p999: time * 30,
    samples: index % 2 ? 9000 : 90_000,
  };
  return {
    path,
    speeds: [speed, speed],
    speed,
    ...(shape.kind === 'round-trip' ? { latency } : {}),
    ...(path === 'pipe' && index === 1 ? { failure: 'no progress for 5 s' } : {}),
  };
}

function comparison(path, index) {
  const common = { path, baseline: 'tcp4' };
  if (path === 'tcp6' && index === 0) return { ...common, verdict: 'too few rounds' };
  const ratio = FACTORS[path] * (1 + index / 100);
  const width = path === 'tcp4-fast-client' ? 1.2 : 1.08;
  const [low, high] = [ratio / width, ratio * width];
  const verdict = low > 1 ? 'faster' : high < 1 ? 'slower' : 'no measurable difference';
  return { ...common, ratio, low, high, verdict };
}
