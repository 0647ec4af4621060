// rhea: AMQP 1.0 to RabbitMQ, with a queue that amqp-connection-manager made.
import amqp from 'amqp-connection-manager';
import rhea from 'rhea';

const manager = amqp.connect([process.env.LOOPBACK_TEST_AMQP]);
const channel = manager.createChannel({ setup: (channel) => channel.assertQueue('rhea', { durable: true }) });
await channel.waitForConnect();
await manager.close();

const { hostname: host, port, username, password } = new URL(process.env.LOOPBACK_TEST_AMQP);
const container = rhea.create_container();
container.on('receiver_open', ({ connection }) => connection.open_sender('/queues/rhea'));
container.once('sendable', ({ sender }) => sender.send({ body: 'ping' }));
container.on('message', ({ message, connection }) => {
  console.log(message.body);
  connection.close();
});
container.on('connection_close', () => console.log('closed'));
container.connect({ host, port, username, password, reconnect: false }).open_receiver('/queues/rhea');
