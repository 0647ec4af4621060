// For the tests of client libraries against real servers.

import { expect, onTestFinished } from 'vitest';
import { connectStories, fastPathCalls, listenStories, take } from './recorder.js';

const ARMED_CONNECT = ['bind 0.0.0.0', 'fast path on', 'ConnectEx 127.0.0.1'];
const ARMED_LISTEN = ['bind 127.0.0.1', 'fast path on', 'listen'];

/** Every SOCKET that was connected or listened on got the ioctl, once, and in time. */
export function expectArmed({ connects, listens }: { connects: number; listens: number }): void {
  const calls = take();
  expect(connectStories(calls)).toEqual(Array(connects).fill(ARMED_CONNECT));
  expect(listenStories(calls)).toEqual(Array(listens).fill(ARMED_LISTEN));
  expect(fastPathCalls(calls)).toHaveLength(connects + listens);
}

/** Closes what a test made, before the SOCKETs are counted. */
export function afterwards(close: () => unknown): void {
  onTestFinished(async () => {
    await close();
  });
}

/**
 * Where a server is, and what names its tests for the skipped list where this machine
 * has none.
 */
export function serverOf(name: 'REDIS' | 'POSTGRES' | 'MYSQL' | 'AMQP' | 'MQTT') {
  const url = process.env[`LOOPBACK_TEST_${name}`];
  return {
    url: String(url),
    isMissing: url === undefined,
    needed: url === undefined ? `[LOOPBACK_TEST_${name} does not tell where one is]` : '',
  };
}
