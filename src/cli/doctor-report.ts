import type { Findings } from './doctor.js';
import { describeLoopbackSettings } from './netsh.js';
import type { Paint } from './paint.js';
import { TCP_INFO_FIELDS, type TcpInfoPair } from './tcp-info.js';

/** What was found, for a reader. */
export function describeFindings(found: Findings, paint: Paint): string {
  const lines: string[] = [];
  const row = (name: string, text: string) => lines.push(`${paint.bold(name.padEnd(20))} ${text}`);
  const more = (text: string) => lines.push(`${' '.repeat(20)} ${paint.dim(text)}`);

  const { system, binary } = found;
  const revision = system.updateRevision === undefined ? '' : `.${system.updateRevision}`;
  lines.push(`loopback-fast-path ${found.version}`, '');
  row('System', `${system.name}, ${system.platform} ${system.release}${revision}, ${system.arch}`);
  if (system.wine) more('This is Wine: what follows says nothing about Windows.');
  row('Node', system.node);
  if ('error' in binary) {
    row('Binary', paint.bad(`none: ${binary.error.message}`));
  } else {
    row('Binary', binary.file);
    const known = 'the published one for this machine';
    more(`SHA-256 ${binary.sha256}: ${binary.published ? known : `not ${known}`}`);
  }

  if (found.ioctl !== undefined) describeIoctl(found.ioctl, row);
  if (found.layered !== undefined) describeLayer(found.layered, row, more);
  if (found.ioctl !== undefined) {
    describeSlowPath(found, row, more);
    describeCounter(found, row, more);
  }
  if (found.powershell !== undefined) {
    const { answered, seconds } = found.powershell;
    row('PowerShell', answered ? `took ${seconds} s` : `did not answer (${seconds} s)`);
  }
  if (system.platform === 'win32') {
    row('Loopback settings', describeLoopbackSettings(found.loopback).join(', '));
    more('Of Windows, for all of IPv4: what came after the fast path (1809, Server 2019). docs/measuring.md');
    more('explains them. doctor changes none.');
  }

  if (found.settings.length === 0) row('Settings', 'no relevant environment variables or flags');
  for (const { name, value, effect } of found.settings) row('Setting', `${name} (${value}): ${effect}`);
  row('Deprecated', 'Microsoft does not recommend the fast path for new code. It works from Windows 8 and');
  more('Server 2012 on and may be removed; named pipes are the alternative where you own both ends.');
  if (found.tcpInfo !== undefined) lines.push('', ...describeTcpInfo(found.tcpInfo, paint));
  lines.push('', paint.bold(found.verdict.usable ? paint.good(found.verdict.text) : paint.bad(found.verdict.text)));
  return lines.join('\n');
}

type Line = (name: string, text: string) => void;
type More = (text: string) => void;

function describeIoctl({ ipv4, ipv6 }: NonNullable<Findings['ioctl']>, row: Line): void {
  const say = (answer: typeof ipv4.on) => (answer === 'accepted' ? answer : `refused: ${answer.message}`);
  const both = ({ on, off }: typeof ipv4) => {
    const [one, other] = [say(on), say(off)];
    return one === other ? `on and off ${one}` : `on ${one}; off ${other}`;
  };
  row('ioctl, IPv4', both(ipv4));
  row('ioctl, IPv6', ipv6 === undefined ? 'not asked: it has crashed Windows; --ipv6 asks' : both(ipv6));
}

function describeLayer(layered: NonNullable<Findings['layered']>, row: Line, more: More): void {
  if (typeof layered === 'object') {
    row('Layered provider', `not known: ${layered.message}`);
  } else if (layered) {
    row('Layered provider', 'yes: something sits between programs and the TCP of the system');
    more('It can refuse the ioctl, or relay data in a way that gains nothing: netsh winsock show catalog');
  } else {
    row('Layered provider', 'none');
  }
}

/** B9: what is looked at, and what cannot be seen. */
function describeSlowPath({ calloutDrivers, unreadDrivers = [] }: Findings, row: Line, more: More): void {
  if (calloutDrivers === undefined) {
    row('Slow path', 'not known: PowerShell did not list the running drivers');
  } else {
    const [own, others] = [true, false].map((isOwn) =>
      calloutDrivers
        .filter(({ company }) => company.startsWith('Microsoft') === isOwn)
        .map(({ file, company }) => (isOwn || company === '' ? file : `${file} (${company})`)),
    ) as [string[], string[]];
    const unread = unreadDrivers.length;
    if (others.length > 0) {
      row('Slow path', others.join(', '));
      more('can inspect connections (Windows Filtering Platform) and may force the slow path.');
    } else if (unread > 0) {
      row('Slow path', 'no foreign driver that can inspect connections was found, but not all could be read');
    } else {
      row('Slow path', 'no foreign driver that can inspect connections is running');
    }
    if (unread > 0) {
      more(`${unread} running driver${unread === 1 ? '' : 's'} could not be read: ${unreadDrivers.join(', ')}.`);
    }
    if (own.length > 0) more(`Of Windows itself: ${own.join(', ')}.`);
  }
  more('Only an administrator can see whether a callout inspects loopback connections:');
  more('"netsh wfp show state"; callouts at FWPM_LAYER_STREAM_* silently force the slow path.');
}

/** Side by side, and no word about what a difference means: nobody knows yet. */
function describeTcpInfo({ plain, armed, bytes, roundTrips }: TcpInfoPair, paint: Paint): string[] {
  const ends = [plain, armed].flatMap((pair) => ('code' in pair ? [pair, pair] : [pair.client, pair.server]));
  const lines = [
    paint.bold('Is it on?'),
    'There is no documented way to tell. Windows counts this (SIO_TCP_INFO) for one connection without',
    `the fast path and one with it on both ends, after ${bytes / 1024 ** 2} MiB in one direction and ${roundTrips} round trips of 64`,
    'bytes through each. What a difference means is not known: it may be the fast path, or chance.',
  ];
  const refusals = new Set(ends.flatMap((end) => ('code' in end ? end.message : [])));
  for (const message of refusals) lines.push(paint.bad(`Refused: ${message}`));
  if (ends.every((end) => 'code' in end)) return lines;
  const columns = (cells: readonly string[]) => cells.map((cell) => cell.padStart(14)).join('');
  lines.push(
    paint.dim(`  ${''.padEnd(17)}${columns(['plain, client', 'plain, server', 'armed, client', 'armed, server'])}`),
    ...TCP_INFO_FIELDS.map(
      (field) => `  ${field.padEnd(17)}${columns(ends.map((end) => ('code' in end ? '-' : String(end[field]))))}`,
    ),
  );
  return lines;
}

function describeCounter({ counter, ioctl }: Findings, row: Line, more: More): void {
  if (counter === undefined) {
    row(
      'Fallen-off counter',
      ioctl?.ipv4.on === 'accepted'
        ? 'not known: PowerShell did not read it'
        : 'not watched: the ioctl is not accepted',
    );
    return;
  }
  const { before, after, connections } = counter;
  // 32 bits that wrap.
  const rise = (after - before) >>> 0;
  row('Fallen-off counter', `rose by ${rise} (${before} to ${after}) while doctor made ${connections} connections`);
  more(
    rise === 0
      ? 'So no connection was reported to have left the fast path.'
      : rise >= connections
        ? 'So these connections may have left the fast path.'
        : 'Fewer than were made: these, or connections of other programs.',
  );
  more('Not a proof: the counter is of the whole system, and its exact meaning is not documented.');
}
