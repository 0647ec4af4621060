// NATS: publish, subscribe, request. Node 22 or newer.
import { connect } from '@nats-io/transport-node';

const connection = await connect({ servers: new URL(process.env.LOOPBACK_TEST_NATS).host });
const subscription = connection.subscribe('strangers.echo', {
  callback: (_error, message) => message.respond(message.data),
});
console.log((await connection.request('strangers.echo', 'ping', { timeout: 20_000 })).string());
subscription.unsubscribe();
await connection.drain();
console.log(connection.isClosed());
