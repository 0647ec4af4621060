// What a process did with its SOCKETs, from what test/recorder saw.

/** One SOCKET from its making to its end. */
class Life {
  isIPv4 = true;
  bound = '';
  /** 127.0.0.1 of `ConnectEx 127.0.0.1`, or where it listened; '' for one that did neither. */
  used = '';
  side = '';
  ioctlsBefore = 0;
  ioctlsAfter = 0;
  isBindRefused = false;

  /** What the package promises to treat: IPv4, and loopback or the unspecified address. */
  get isLoopback() {
    return this.isIPv4 && (this.used.startsWith('127.') || this.used === '0.0.0.0');
  }
}

function lives(calls) {
  const all = [];
  const open = new Map();
  for (const { call, socket, error, code, value, address, family } of calls) {
    if (call === 'socket' && error === 0) {
      const life = new Life();
      open.set(socket, life);
      all.push(life);
    }
    const life = open.get(socket);
    if (life === undefined) continue;
    if (call === 'closesocket') open.delete(socket);
    if (family === 6) life.isIPv4 = false;
    if (call === 'bind') {
      life.bound = address;
      life.isBindRefused = error !== 0;
    }
    if (call === 'WSAIoctl' && code === 0x98000010 && value === 1) {
      if (life.used === '') life.ioctlsBefore += 1;
      else life.ioctlsAfter += 1;
    }
    if (call === 'ConnectEx') Object.assign(life, { side: 'connect', used: address });
    if (call === 'listen') Object.assign(life, { side: 'listen', used: life.bound });
  }
  return all;
}

/**
 * @param {{ calls: object[], dropped: number, openSockets: number }[]} records of each process
 * @param {boolean} isArmed whether each connection and listener on loopback shall have had the ioctl
 */
export function summary(records, isArmed) {
  const all = records.flatMap(({ calls }) => lives(calls));
  const used = all.filter(({ side }) => side !== '');
  const count = (side) => used.filter((life) => life.isLoopback && life.side === side).length;
  const problems = [];
  for (const life of all) {
    const { side, used, isLoopback, ioctlsBefore, ioctlsAfter } = life;
    const what = `${side === '' ? 'unused, bound to' : side} ${used || life.bound}`;
    if (ioctlsAfter > 0) problems.push(`${what}: too late`);
    // The package asks the system on a SOCKET that it does not bind; libuv tells listen() of a refused bind.
    const wanted = isArmed && (isLoopback || (side === '' && (life.bound === '' || life.isBindRefused)));
    const least = isArmed && isLoopback ? 1 : 0;
    if (ioctlsBefore < least || ioctlsBefore > (wanted ? 1 : 0)) problems.push(`${what}: ${ioctlsBefore} ioctls`);
  }
  if (records.some(({ dropped }) => dropped > 0)) problems.push('more calls than the recorder keeps');
  return {
    processes: records.length,
    connects: count('connect'),
    listens: count('listen'),
    others: used.filter(({ isLoopback }) => !isLoopback).length,
    left: records.reduce((sum, { openSockets }) => sum + openSockets, 0),
    problems,
  };
}
