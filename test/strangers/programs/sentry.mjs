// Sentry, which traces http, requests and servers.
import * as Sentry from '@sentry/node';
import { exchange } from '../tests/exchange.cjs';

console.log(await exchange(), await exchange());
await Sentry.close(1000);
console.log(globalThis.events.sort());
