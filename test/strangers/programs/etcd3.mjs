// etcd3: gRPC to etcd, and a watcher.
import { Etcd3 } from 'etcd3';

const client = new Etcd3({ hosts: process.env.LOOPBACK_TEST_ETCD });
const watcher = await client.watch().key('strangers').create();
const seen = new Promise((resolve) => watcher.once('put', (event) => resolve(event.value.toString())));
await client.put('strangers').value('seen');
console.log(await seen, await client.get('strangers').string());
await watcher.cancel();
console.log((await client.delete().key('strangers')).deleted);
client.close();
