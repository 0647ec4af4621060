import * as net from 'node:net';
import fc from 'fast-check';
import * as api from 'loopback-fast-path';
import { useBinary } from 'loopback-fast-path/custom';
import { describe, expect, onTestFinished, test } from 'vitest';
import { anyProperties, anyValue, Hostile, outcome, Sealed } from '../support/hostile.js';

type Call = (...args: unknown[]) => unknown;

const onTarget = {
  enable: api.enableLoopbackFastPath,
  tryEnable: api.tryEnableLoopbackFastPath,
  disable: api.disableLoopbackFastPath,
  status: api.getLoopbackFastPathStatus,
} as unknown as Record<string, Call>;

const anyOptions = anyProperties(['ipv6', 'required', 'shouldApply']).map(
  (properties) => new Sealed(() => Object.defineProperties({}, properties.make())),
);

const target = fc.constantFrom(
  () => new net.Socket(),
  () => new net.Server(),
);

describe.each(Object.entries(onTarget))('%s', (_name, call) => {
  test('refuses any value that is no socket or server, whatever the options', () => {
    fc.assert(
      fc.property(anyValue, anyValue, (value, options) => {
        expect(outcome(() => call(value.make(), options.make()))).toBe('ERR_INVALID_ARG_TYPE');
      }),
    );
  });

  test('with any options does what is documented, and where it refuses them changes nothing', () => {
    fc.assert(
      fc.property(target, fc.oneof(anyValue, anyOptions), (make, options) => {
        const subject = make();
        const before = Reflect.ownKeys(subject);
        const result = outcome(() => call(subject, options.make()));
        if (result !== 'theirs' && result !== 'ERR_INVALID_ARG_TYPE') return;
        expect(api.getLoopbackFastPathStatus(subject)).toEqual({ state: 'off' });
        expect(Reflect.ownKeys(subject)).toEqual(before);
        expect(subject.listenerCount('connectionAttempt')).toBe(0);
      }),
    );
  });

  test('on a socket or server whose own properties are anything does what is documented', () => {
    const names = ['_handle', '_parent', 'connecting', 'destroyed', 'remoteAddress', '_listen2', 'listening'];
    fc.assert(
      fc.property(target, anyProperties(names), (make, properties) => {
        const subject = Object.defineProperties(make(), properties.make());
        outcome(() => call(subject));
        outcome(() => subject.emit('connectionAttempt', '127.0.0.1', 1, 4));
        outcome(() => call(subject));
        for (const name of names) Reflect.deleteProperty(subject, name);
      }),
    );
  });

  test('on sockets that are each other’s parents comes to an end', () => {
    const [one, other] = [new net.Socket(), new net.Socket()];
    for (const [socket, parent] of [
      [one, one],
      [one, other],
      [other, one],
    ]) {
      Object.assign(socket as net.Socket, { _parent: parent });
      outcome(() => call(one));
    }
  });
});

const takingOptions: Record<string, Call> = {
  // Without a port nothing is connected: Node says ERR_MISSING_ARGS.
  createFastPathConnection: (fastPath) => api.createFastPathConnection({ fastPath } as never),
  FastPathAgent: (fastPath) => new api.FastPathAgent({ fastPath } as never),
  FastPathHttpsAgent: (fastPath) => new api.FastPathHttpsAgent({ fastPath } as never),
  fastPathConnector: (fastPath) => api.fastPathConnector(() => {}, fastPath as never),
  registerLoopbackFastPath: (options) => api.registerLoopbackFastPath(options as object)(),
};

test.each(Object.entries(takingOptions))(
  '%s takes any options as documented, and leaves net as it was',
  (_name, call) => {
    const connect = net.Socket.prototype.connect;
    fc.assert(
      fc.property(fc.oneof(anyValue, anyOptions), (options) => {
        expect(['returned', 'theirs', 'ERR_INVALID_ARG_TYPE', 'ERR_MISSING_ARGS']).toContain(
          outcome(() => call(options.make())),
        );
        expect(net.Socket.prototype.connect).toBe(connect);
      }),
    );
  },
);

test('isLoopbackFastPathError answers about any value, and refuses any code that is no string', () => {
  fc.assert(
    fc.property(anyValue, anyValue, (value, sealed) => {
      const code = sealed.make();
      expect(api.isLoopbackFastPathError(value.make())).toBe(false);
      const known = code === undefined || typeof code === 'string';
      expect(outcome(() => (api.isLoopbackFastPathError as Call)(value.make(), code))).toBe(
        known ? 'returned' : 'ERR_INVALID_ARG_TYPE',
      );
    }),
  );
});

test('LoopbackFastPathError is made of anything that a message can be, and nothing of it runs code', () => {
  fc.assert(
    fc.property(fc.string(), anyValue, (message, sealed) => {
      const cause = sealed.make();
      const error = new api.LoopbackFastPathError('WSAEINVAL', message, { cause });
      expect(error.message).toBe(message);
      expect(Object.is(error.cause, cause)).toBe(true);
      expect(api.isLoopbackFastPathError(error, 'WSAEINVAL')).toBe(true);
    }),
  );
});

test('useBinary refuses any value that is no function', () => {
  fc.assert(
    fc.property(
      anyValue.filter((value) => typeof value.make() !== 'function'),
      (value) => {
        expect(outcome(() => (useBinary as Call)(value.make()))).toBe('ERR_INVALID_ARG_TYPE');
      },
    ),
  );
});

test('the probe takes no argument, and answers the same to all', () => {
  const answer = api.probeLoopbackFastPath();
  fc.assert(
    fc.property(anyValue, (value) => {
      expect((api.probeLoopbackFastPath as Call)(value.make())).toBe(answer);
    }),
  );
});

test('emitters with hostile listeners, and status subscribers, do not keep it from ending', () => {
  const socket = new net.Socket();
  onTestFinished(() => void socket.destroy());
  socket.on('newListener', () => {
    throw new Hostile('hostile');
  });
  // Nothing of ours listens to it.
  expect(['returned', 'WSAEOPNOTSUPP', 'ERR_LOOPBACK_FAST_PATH_PLATFORM']).toContain(
    outcome(() => onTarget.enable?.(socket)),
  );
});
