// jackd on beanstalkd.
import JackdClient from 'jackd';

const { hostname: host, port } = new URL(process.env.LOOPBACK_TEST_BEANSTALKD);
const client = new JackdClient();
await client.connect({ host, port: Number(port) });
await client.use('strangers');
await client.watch('strangers');
await client.put('job');
const job = await client.reserve();
console.log(job.payload.toString());
await client.delete(job.id);
await client.quit();
