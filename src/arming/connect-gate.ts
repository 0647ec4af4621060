// The last moment before ConnectEx. Every way on which Node connects, each attempt of
// happy eyeballs and each reconnect ends in handle.connect() or handle.connect6(), and
// those are methods of a prototype that all handles of a thread share. The first armed
// socket puts one wrapper there. Nothing is put on a socket, so nothing on a socket can
// be taken away, and whoever replaces the method of a handle of his own never gets here.

import * as net from 'node:net';
import { types } from 'node:util';
import { LoopbackFastPathError } from '../native/errors.js';
import { type Handle, identityOf, ownerOf } from './handle.js';

/** Called right before an attempt. Where it returns false, no attempt is made. */
export type ConnectGuard = (socket: net.Socket, handle: Handle, address: string, port: number) => boolean;

/**
 * Shared by every copy of the package in the thread. In a test runner that loads the
 * package once for each test file, one wrapper serves them all, and what a copy armed
 * goes with its sockets.
 */
interface Gate {
  readonly guards: WeakMap<object, readonly ConnectGuard[]>;
  /** The handles below TLS that went through: a TLSWrap passes the call on to them. */
  readonly passed: WeakSet<object>;
}

type Connect = (this: Handle, ...args: [request: object, address: string, port: number]) => number;

const GATE = Symbol.for('loopback-fast-path.gate');

let gate: Gate | undefined;

/** What is kept of a socket that one copy of the package has armed: as a rule there is no other. */
let alone: readonly ConnectGuard[] = [];

/**
 * Has `guard` asked before each attempt of a socket from now on.
 *
 * @throws {LoopbackFastPathError} `…_HOST` where sockets are not Node's own.
 */
export function guardConnects(socket: net.Socket, guard: ConnectGuard): void {
  gate ??= openGate();
  const key = identityOf(socket);
  const guards = gate.guards.get(key);
  if (guards === undefined) {
    if (alone[0] !== guard) alone = [guard];
    gate.guards.set(key, alone);
  } else if (!guards.includes(guard)) gate.guards.set(key, [...guards, guard]);
  // The handles of TLS that come later, in happy eyeballs, do not know their socket.
  const handle = (socket as { _handle?: Handle | null })._handle;
  if (handle?._parent) install(Object.getPrototypeOf(handle), gate);
}

/** @throws {LoopbackFastPathError} `…_HOST` */
function openGate(): Gate {
  try {
    // There is no other way to the prototypes before the first socket connects.
    const tcp = bindTemporarily('127.0.0.1', 0, 4);
    const found: unknown = Reflect.get(tcp, GATE);
    const made = isGate(found) ? found : { guards: new WeakMap(), passed: new WeakSet() };
    install(tcp, made);
    const pipe = `\\\\.\\pipe\\loopback-fast-path-${process.pid}-${Date.now()}-${Math.random()}`;
    install(bindTemporarily(pipe, -1, -1), made);
    return made;
  } catch (cause) {
    throw new LoopbackFastPathError(
      'ERR_LOOPBACK_FAST_PATH_HOST',
      'The sockets of this program are not those of Node, so nothing can be done for them.',
      { cause },
    );
  }
}

let binding = false;

/** Whether a handle is being made that no program wants. */
export function isBindingTemporarily(): boolean {
  return binding;
}

/** The prototype of the handles that Node binds so. */
function bindTemporarily(address: string, port: number, family: number): object {
  const create = (net as unknown as { _createServerHandle(...args: unknown[]): Handle | number })._createServerHandle;
  binding = true;
  try {
    const handle = create(address, port, family);
    if (typeof handle === 'number') throw new Error(`bind ${address}: ${handle}`);
    handle.close();
    return Object.getPrototypeOf(handle) as object;
  } finally {
    binding = false;
  }
}

function isGate(value: unknown): value is Gate {
  const { guards, passed } = (value ?? {}) as Partial<Gate>;
  // From another realm, in a test runner that gives each test file one of its own.
  return types.isWeakMap(guards) && types.isWeakSet(passed);
}

function install(prototype: object, gate: Gate): void {
  if (Object.hasOwn(prototype, GATE)) return;
  Object.defineProperty(prototype, GATE, { value: gate });
  for (const name of ['connect', 'connect6']) {
    const found = Object.getOwnPropertyDescriptor(prototype, name);
    if (typeof found?.value !== 'function') {
      if (name === 'connect') throw new TypeError('handles have no connect()');
      continue;
    }
    Object.defineProperty(prototype, name, { ...found, value: guarded(gate, found.value as Connect) });
  }
}

function guarded({ guards, passed }: Gate, original: Connect): Connect {
  return function connect(this: Handle, ...args) {
    const owner = ownerOf(this);
    const asked = owner === undefined ? undefined : guards.get(identityOf(owner));
    if (asked !== undefined && !passed.has(this)) {
      const below = this._parent ?? undefined;
      if (below !== undefined) passed.add(below);
      for (const guard of asked) {
        // Node takes it for an attempt under way, and the socket is destroyed.
        if (!guard(owner as net.Socket, below ?? this, args[1], args[2])) return 0;
      }
    }
    return Reflect.apply(original, this, args);
  };
}
