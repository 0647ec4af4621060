import amqp from 'amqplib';
import { probeLoopbackFastPath, runWithLoopbackFastPath } from 'loopback-fast-path';
import mqtt from 'mqtt';
import mysql from 'mysql2/promise';
import { createClient } from 'redis';
import { beforeAll, describe, expect, test } from 'vitest';
import { afterwards, expectArmed, serverOf } from '../support/libraries.js';
import { answer, THE_SYSTEM_ACCEPTS, useRecorder } from '../support/recorder.js';

// Libraries that make their sockets themselves, by context, on real servers. What is
// between "recipe" and "end" is in docs/recipes.md.

useRecorder(THE_SYSTEM_ACCEPTS);

// Asked once in a thread, on a SOCKET of its own, which is not to be counted.
beforeAll(() => {
  answer(THE_SYSTEM_ACCEPTS);
  expect(probeLoopbackFastPath()).toEqual({ supported: true });
});

const redis = serverOf('REDIS');
describe.skipIf(redis.isMissing)(`redis ${redis.needed}`, () => {
  const { url } = redis;

  test('by context, and again when it reconnects', async () => {
    // recipe: redis
    const client = createClient({ url });
    await runWithLoopbackFastPath({}, () => client.connect());
    // end
    afterwards(() => client.destroy());
    client.on('error', () => {});
    const value = 'x'.repeat(200_000);
    expect(await client.set('context', value)).toBe('OK');
    expect(await client.get('context')).toBe(value);
    expectArmed({ connects: 1, listens: 0 });

    const again = new Promise((resolve) => client.once('ready', resolve));
    const id = await client.sendCommand(['CLIENT', 'ID']);
    await client.sendCommand(['CLIENT', 'KILL', 'ID', String(id), 'SKIPME', 'no']).catch(() => {});
    await again;
    expect(await client.get('context')).toBe(value);
    expectArmed({ connects: 1, listens: 0 });
  });
});

const mariadb = serverOf('MYSQL');
describe.skipIf(mariadb.isMissing)(`mysql2 ${mariadb.needed}`, () => {
  const { url } = mariadb;

  test('by context: a pool connects where it is asked', async () => {
    // recipe: mysql2
    const pool = mysql.createPool(url);
    const [rows] = await runWithLoopbackFastPath({}, () => pool.query('select 2 * 2 as square'));
    // end
    afterwards(() => pool.end());
    expect(rows).toEqual([{ square: 4 }]);
    expectArmed({ connects: 1, listens: 0 });

    // Three at once, of which two make a connection.
    const query = (sql: string) => runWithLoopbackFastPath({}, () => pool.query(sql));
    const answers = await Promise.all([1, 2, 3].map((n) => query(`select ${n} as n`)));
    expect(answers.map(([found]) => found)).toEqual([[{ n: 1 }], [{ n: 2 }], [{ n: 3 }]]);
    expectArmed({ connects: 2, listens: 0 });
  });
});

const rabbitmq = serverOf('AMQP');
describe.skipIf(rabbitmq.isMissing)(`amqplib ${rabbitmq.needed}`, () => {
  const { url } = rabbitmq;

  test('by context', async () => {
    // recipe: amqplib
    const connection = await runWithLoopbackFastPath({}, () => amqp.connect(url));
    // end
    afterwards(() => connection.close());
    const channel = await connection.createChannel();
    const { queue } = await channel.assertQueue('', { exclusive: true });
    const message = new Promise((resolve) => channel.consume(queue, resolve, { noAck: true }));
    channel.sendToQueue(queue, Buffer.from('ping'));
    expect(await message).toMatchObject({ content: Buffer.from('ping') });
    expectArmed({ connects: 1, listens: 0 });
  });
});

const mosquitto = serverOf('MQTT');
describe.skipIf(mosquitto.isMissing)(`mqtt ${mosquitto.needed}`, () => {
  const { url } = mosquitto;

  test('by context, and again when it reconnects', async () => {
    // recipe: mqtt
    const client = runWithLoopbackFastPath({}, () => mqtt.connect(url));
    // end
    client.options.reconnectPeriod = 10;
    afterwards(() => client.endAsync());
    const connected = () => new Promise((resolve) => client.once('connect', resolve));
    await connected();
    await client.subscribeAsync('context');
    const message = new Promise((resolve) => client.once('message', (_topic, payload) => resolve(String(payload))));
    await client.publishAsync('context', 'ping');
    expect(await message).toBe('ping');
    expectArmed({ connects: 1, listens: 0 });

    const again = connected();
    client.stream.destroy();
    await again;
    expectArmed({ connects: 1, listens: 0 });
  });
});
