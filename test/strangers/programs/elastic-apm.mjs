// Elastic's APM agent, which wraps http and follows asynchronous contexts.
import apm from 'elastic-apm-node';
import { exchange } from '../tests/exchange.cjs';

const transaction = apm.startTransaction('exchange');
console.log(await exchange(), await exchange(), apm.currentTransaction === transaction);
transaction.end();
process.exit();
