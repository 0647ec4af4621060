// That test/strangers finds what it looks for: its judgement of calls that were made up.

import { expect, test } from 'vitest';
import { summary } from '../strangers/sockets.mjs';

const made = { call: 'socket', socket: 1, error: 0 };
const ioctl = { call: 'WSAIoctl', socket: 1, error: 0, code: 0x98000010, value: 1 };
const bind = (address: string, family = 4) => ({ call: 'bind', socket: 1, error: 0, address, family });
const connect = (address: string, family = 4) => ({ call: 'ConnectEx', socket: 1, error: 0, address, family });
const listen = { call: 'listen', socket: 1, error: 0 };

test.each<[string, object[], string[]]>([
  ['once before ConnectEx', [made, bind('0.0.0.0'), ioctl, connect('127.0.0.1')], []],
  ['once before listen', [made, bind('127.0.0.1'), ioctl, listen], []],
  ['on a SOCKET that asks the system', [made, ioctl], []],
  ['missing', [made, bind('0.0.0.0'), connect('127.0.0.1')], ['connect 127.0.0.1: 0 ioctls']],
  ['twice', [made, ioctl, ioctl, connect('127.0.0.1')], ['connect 127.0.0.1: 2 ioctls']],
  ['too late', [made, bind('127.0.0.1'), ioctl, listen, ioctl], ['listen 127.0.0.1: too late']],
  ['on IPv6', [made, bind('::', 6), ioctl, listen], ['listen ::: 1 ioctls']],
  ['to another machine', [made, bind('0.0.0.0'), ioctl, connect('10.0.0.1')], ['connect 10.0.0.1: 1 ioctls']],
  ['on a SOCKET that is not used', [made, bind('0.0.0.0'), ioctl], ['unused, bound to 0.0.0.0: 1 ioctls']],
])('the ioctl %s', (_what, calls, problems) => {
  expect(summary([{ calls, dropped: 0, openSockets: 0 }], true).problems).toEqual(problems);
});

test('the ioctl in a plain run', () => {
  const records = [{ calls: [made, ioctl, connect('127.0.0.1')], dropped: 0, openSockets: 0 }];
  expect(summary(records, false).problems).toEqual(['connect 127.0.0.1: 1 ioctls']);
});
