// Values that no sane caller passes, for property-based tests: the same in every
// run, and others with LOOPBACK_TEST_SEED=<number>. Where one fails, fast-check
// prints the seed and the smallest counterexample.

import * as net from 'node:net';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { LoopbackFastPathError } from 'loopback-fast-path';

export const SEED = Number(process.env.LOOPBACK_TEST_SEED ?? 1);
fc.configureGlobal({ seed: SEED, numRuns: 300 });

/** What hostile getters, methods and traps throw. */
export class Hostile extends Error {}

export function boom(): never {
  throw new Hostile('hostile');
}

const everyTrap = Object.fromEntries(
  Object.getOwnPropertyNames(Reflect)
    .filter((name) => typeof Reflect[name as keyof typeof Reflect] === 'function')
    .map((name) => [name, boom]),
);

function revoked(target: object): object {
  const { proxy, revoke } = Proxy.revocable(target, {});
  revoke();
  return proxy;
}

/** Objects whose every way in throws, or that pretend to be something. */
const traps = fc.constantFrom<(() => unknown)[]>(
  () => revoked({}),
  () => revoked(() => {}),
  () => revoked(new net.Socket()),
  () => new Proxy({}, everyTrap),
  () => new Proxy(() => {}, everyTrap),
  () => new Proxy(new net.Socket(), {}),
  () => Object.create(new Proxy({}, everyTrap)),
  () => Object.setPrototypeOf(new Error('with a hostile prototype'), new Proxy({}, everyTrap)),
  () => Object.create(net.Socket.prototype),
  () => Object.create(new net.Server()),
  () => ({ [Symbol.toPrimitive]: boom, toString: boom, valueOf: boom, toJSON: boom }),
  () => Object.defineProperty({}, Symbol.toStringTag, { get: boom }),
  () => Object.defineProperty({}, 'constructor', { get: boom }),
  () => Symbol('hostile'),
  () => boom,
  () => function* generator() {},
  () => net.Socket,
  () => globalThis,
);

/**
 * A value out of fast-check's reach, which would look into it itself: `make()`
 * it where it is used.
 */
export class Sealed<T> {
  constructor(readonly make: () => T) {}

  [fc.toStringMethod](): string {
    try {
      return inspect(this.make());
    } catch {
      return String(this.make);
    }
  }
}

const plain = fc.oneof(
  fc.anything({ withBigInt: true, withBoxedValues: true, withDate: true, withMap: true, withNullPrototype: true }),
  fc.anything({ withObjectString: true, withSet: true, withSparseArray: true, withTypedArray: true }),
  fc.double(),
);

/** Any value, none of which is a socket or a server. */
export const anyValue: fc.Arbitrary<Sealed<unknown>> = fc.oneof(
  plain.map((value) => new Sealed(() => value)),
  traps.map((make) => new Sealed(make)),
);

/** Ways to replace properties of an object: by a value, a getter, or a getter that throws. */
export function anyProperties(names: string[]): fc.Arbitrary<Sealed<PropertyDescriptorMap>> {
  const property = fc.tuple(fc.constantFrom('value', 'getter', 'throws'), anyValue);
  return fc.dictionary(fc.constantFrom(...names), property).map(
    (chosen) =>
      new Sealed(() => {
        const entries = Object.entries(chosen).map(([name, [kind, value]]) => {
          const made = value.make();
          const how =
            kind === 'value'
              ? { value: made, writable: true }
              : { get: kind === 'getter' ? () => made : boom, set: () => {} };
          return [name, { ...how, configurable: true }] as const;
        });
        return Object.fromEntries(entries);
      }),
  );
}

/** What a call ends with: 'returned', or what it threw, which must be one of what is documented. */
export function outcome(call: () => unknown): string {
  try {
    call();
    return 'returned';
  } catch (error) {
    if (error instanceof LoopbackFastPathError) return error.code;
    if (error instanceof TypeError && 'code' in error) return String(error.code);
    // What a getter or a proxy of the caller's threw is the caller's own.
    if (error instanceof Hostile) return 'theirs';
    if (error instanceof TypeError && /proxy that has been revoked/.test(error.message)) return 'theirs';
    throw error;
  }
}
