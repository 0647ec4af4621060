// modbus-serial over TCP, both ends.
import { once } from 'node:events';
import getPort from 'get-port';
import ModbusModule from 'modbus-serial';

const Modbus = ModbusModule.default ?? ModbusModule;
const port = await getPort({ host: '127.0.0.1' });
const server = new Modbus.ServerTCP(
  { getHoldingRegister: (address) => address * 2 },
  { host: '127.0.0.1', port, unitID: 1 },
);
await once(server, 'initialized');
const client = new Modbus();
await client.connectTCP('127.0.0.1', { port });
client.setID(1);
console.log((await client.readHoldingRegisters(5, 3)).data);
await new Promise((resolve) => client.close(resolve));
await new Promise((resolve) => server.close(resolve));
