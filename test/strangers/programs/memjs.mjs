// memjs on Memcached.
import memjs from 'memjs';

const client = memjs.Client.create(new URL(process.env.LOOPBACK_TEST_MEMCACHED).host);
await client.set('strangers', 'x'.repeat(100_000), { expires: 60 });
console.log((await client.get('strangers')).value.length);
console.log(await client.delete('strangers'));
console.log((await client.get('strangers')).value);
client.close();
