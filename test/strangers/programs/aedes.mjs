// aedes, a broker for MQTT, and a client that is thrown out and comes back.
import { once } from 'node:events';
import net from 'node:net';
import { Aedes } from 'aedes';
import mqtt from 'mqtt';
import { closed, listening } from '../listening.mjs';

const broker = await Aedes.createBroker();
const server = net.createServer(broker.handle);
const port = await listening(server);
const client = mqtt.connect({ host: '127.0.0.1', port, reconnectPeriod: 50 });
// It is thrown out below.
client.on('error', () => {});
await once(client, 'connect');
await client.subscribeAsync('strangers/#', { qos: 1 });
client.publish('strangers/a', 'ping', { qos: 1 });
console.log(String((await once(client, 'message'))[1]));
const again = new Promise((resolve) => client.once('connect', resolve));
for (const known of Object.values(broker.clients)) known.close();
await again;
client.publish('strangers/b', 'again', { qos: 1 });
console.log(String((await once(client, 'message'))[1]));
await client.endAsync();
await new Promise((resolve) => broker.close(resolve));
await closed(server);
