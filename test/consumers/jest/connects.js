// The test that each file of connects-*.test.js has: in Jest, each has a realm and a
// copy of the package of its own, and all of them share Node's sockets.

const { once } = require('node:events');
const net = require('node:net');
const { createFastPathConnection, getLoopbackFastPathStatus, probeLoopbackFastPath } = require('loopback-fast-path');

/** Where the first file of the process leaves what it saw. */
const SEEN = Symbol.for('loopback-fast-path.test.connect');

function listening() {
  const server = net.createServer((socket) => socket.pipe(socket)).listen(0, '127.0.0.1');
  return once(server, 'listening').then(() => server);
}

exports.connects = (isFirst) => {
  test('data passes, and the status says why it is an ordinary connection', async () => {
    const server = await listening();
    const socket = createFastPathConnection(server.address().port, '127.0.0.1');
    await once(socket, 'connect');
    socket.end('ping');
    const [data] = await once(socket, 'data');
    expect(String(data)).toBe('ping');
    const { error } = getLoopbackFastPathStatus(socket);
    expect(error.code).toBe(probeLoopbackFastPath().error.code);

    // Every copy before this one has armed a socket as well.
    const { connect } = Object.getPrototypeOf(socket._handle ?? net._createServerHandle('127.0.0.1', 0, 4));
    if (isFirst) net[SEEN] = connect;
    expect(connect).toBe(net[SEEN]);
    await new Promise((resolve) => server.close(resolve));
  });

  test('where it is required, the copy of this file keeps the socket from connecting', async () => {
    const server = await listening();
    let connections = 0;
    server.on('connection', () => ++connections);
    const options = { port: server.address().port, host: 'localhost', fastPath: { required: true } };
    // Answers at once, so that Node goes on to the attempt inside connect().
    const lookup = (_name, { all }, callback) =>
      all ? callback(null, [{ address: '127.0.0.1', family: 4 }]) : callback(null, '127.0.0.1', 4);
    const [error] = await once(createFastPathConnection({ ...options, lookup }), 'error');
    expect(error.code).toBe(probeLoopbackFastPath().error.code);
    // Comes after whatever might have come before.
    const plain = net.connect(options.port, '127.0.0.1');
    await once(plain, 'connect');
    plain.destroy();
    await new Promise((resolve) => server.close(resolve));
    expect(connections).toBe(1);
  });
};
