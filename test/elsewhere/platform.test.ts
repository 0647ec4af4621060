import { once } from 'node:events';
import * as net from 'node:net';
import {
  disableLoopbackFastPath,
  enableLoopbackFastPath,
  getLoopbackFastPathStatus,
  probeLoopbackFastPath,
  tryEnableLoopbackFastPath,
} from 'loopback-fast-path';
import { expect, test } from 'vitest';
import { closing, echo, exchange, thrown } from '../support/sockets.js';

const PLATFORM = {
  name: 'LoopbackFastPathError',
  code: 'ERR_LOOPBACK_FAST_PATH_PLATFORM',
  message: expect.stringContaining(process.platform),
};

test('enable throws the platform error and leaves the socket alone', () => {
  for (const target of [new net.Socket(), net.createServer()]) {
    expect(thrown(() => enableLoopbackFastPath(target, { required: true }))).toMatchObject(PLATFORM);
    expect(getLoopbackFastPathStatus(target)).toEqual({ state: 'off' });
    expect(target.listenerCount('connectionAttempt')).toBe(0);
    expect(Object.hasOwn(target, '_listen2')).toBe(false);
    disableLoopbackFastPath(target);
    expect(getLoopbackFastPathStatus(target)).toEqual({ state: 'off' });
  }
});

test('tryEnable returns false, says why, and traffic flows', async () => {
  const socket = closing(net.connect(await echo(), '127.0.0.1'));
  expect(tryEnableLoopbackFastPath(socket)).toBe(false);
  expect(getLoopbackFastPathStatus(socket)).toMatchObject({ state: 'failed', error: PLATFORM });
  await once(socket, 'connect');
  expect(await exchange(socket)).toBe('ping');
});

test('each error has the stack of its own call', () => {
  function here() {
    enableLoopbackFastPath(new net.Socket());
  }
  function there() {
    enableLoopbackFastPath(new net.Socket());
  }
  expect((thrown(here) as Error).stack).toContain('here');
  expect((thrown(there) as Error).stack).toContain('there');
});

test('the probe says no', () => {
  expect(probeLoopbackFastPath()).toMatchObject({ supported: false, error: PLATFORM });
  expect(probeLoopbackFastPath()).toBe(probeLoopbackFastPath());
});
