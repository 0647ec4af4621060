import { BlockList, isIP } from 'node:net';
import type { Settings } from './settings.js';

/** Why a socket was left alone. */
export type SkipReason =
  /** The address is not one of this machine's loopback addresses. */
  | 'not-loopback'
  /** An IPv6 socket, and `ipv6` was not asked for. */
  | 'ipv6'
  /** An IPv6 socket that also speaks IPv4, and `ipv6: 'dual-stack'` was not asked for. */
  | 'dual-stack'
  /** A named pipe, or a stream that imitates a socket. */
  | 'not-tcp'
  /** A server in a cluster worker whose SOCKET belongs to the primary. */
  | 'cluster'
  /** `shouldApply` returned false. */
  | 'declined'
  /** The environment variable `LOOPBACK_FAST_PATH` is `0`. */
  | 'switched-off';

/** What to do with a socket of an address: leave it alone, or the family to apply it to. */
export type Decision =
  | { readonly skip: SkipReason; readonly family?: never }
  | { readonly skip?: never; readonly family: 4 | 6 };

const IPV4: Decision = { family: 4 };
const IPV6: Decision = { family: 6 };
const NOT_LOOPBACK: Decision = { skip: 'not-loopback' };

// The unspecified address counts: connect rewrites it to loopback, and a listener there
// accepts from loopback.
const loopback6 = new BlockList();
loopback6.addSubnet('::ffff:127.0.0.0', 104, 'ipv6');
loopback6.addAddress('::ffff:0.0.0.0', 'ipv6');
loopback6.addAddress('::1', 'ipv6');
loopback6.addAddress('::', 'ipv6');

const mapped = new BlockList();
mapped.addSubnet('::ffff:0:0', 96, 'ipv6');

/**
 * Which sockets get the fast path. `address` is the one that is connected to or
 * listened on; what the SOCKET itself is, native/binding.cc asks it.
 *
 * IPv6 is off unless asked for, and then for IPv6-only sockets: the ioctl has
 * crashed Windows in the kernel on dual-stack ones, which is what Node makes
 * when nobody says otherwise.
 */
export function decide(address: string, { ipv6 }: Settings): Decision {
  const family = isIP(address);
  if (family === 0) return { skip: 'not-tcp' };
  // Plain text, because this is asked for every connection.
  if (family === 4) return address.startsWith('127.') || address === '0.0.0.0' ? IPV4 : NOT_LOOPBACK;

  const plain = address.replace(/%.*/, '');
  if (!loopback6.check(plain, 'ipv6')) return NOT_LOOPBACK;
  if (ipv6 === false) return { skip: 'ipv6' };
  // An IPv6-only socket could not connect to an IPv4 address in IPv6 writing.
  if (ipv6 === true && mapped.check(plain, 'ipv6')) return { skip: 'dual-stack' };
  return IPV6;
}
