// Environment variables and flags that change what this package does in a process.

export interface Setting {
  readonly name: string;
  readonly value: string;
  readonly effect: string;
}

const REGISTER = 'loopback-fast-path/register';

/** Those that are in force in this process. */
export function processSettings(): Setting[] {
  const { LOOPBACK_FAST_PATH: own } = process.env;
  const flags = processFlags();
  const settings: Setting[] = [];
  if (own !== undefined) {
    const effects: Record<string, string> = {
      '0': 'switches the fast path off',
      trace: 'prints at the end what became of each socket',
    };
    settings.push({ name: 'LOOPBACK_FAST_PATH', value: own, effect: effects[own] ?? 'none that is known' });
  }
  if (armsEverything()) {
    settings.push({ name: REGISTER, value: flags.trim(), effect: 'arms sockets and servers by itself' });
  }
  if (/--(experimental-)?permission\b/.test(flags)) {
    const allowed = /--allow-addons\b/.test(flags);
    settings.push({
      name: '--permission',
      value: allowed ? 'with --allow-addons' : 'without --allow-addons',
      effect: allowed ? 'none: addons are allowed' : 'no addon loads, so everything takes the ordinary path',
    });
  }
  if (/--no-addons\b/.test(flags)) {
    settings.push({
      name: '--no-addons',
      value: 'set',
      effect: 'no addon loads, so everything takes the ordinary path',
    });
  }
  return settings;
}

/** Whether LOOPBACK_FAST_PATH says no. */
export function isSwitchedOff(settings: readonly Setting[]): boolean {
  return settings.some(({ name, value }) => name === 'LOOPBACK_FAST_PATH' && value === '0');
}

/** Whether sockets of this process are armed without being asked for. */
export function armsEverything(): boolean {
  // By its name, or by that of its file.
  return /loopback-fast-path[\\/](dist[\\/])?register\b/.test(processFlags());
}

function processFlags(): string {
  const { NODE_OPTIONS = '' } = process.env;
  return `${process.execArgv.join(' ')} ${NODE_OPTIONS}`;
}
