// New Relic's agent, which wraps net, http and timers; without a server to report to.
import { exchange } from '../tests/exchange.cjs';

console.log(await exchange(), await exchange());
process.exit();
