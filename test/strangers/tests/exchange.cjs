// What every test runner is given: a request to a server of the test's own.
const http = require('node:http');

exports.exchange = () =>
  new Promise((resolve, reject) => {
    const server = http
      .createServer((_request, response) => response.end('pong'))
      .listen(0, '127.0.0.1', () => {
        const request = http.get({ host: '127.0.0.1', port: server.address().port, agent: false });
        request.on('error', reject);
        request.on('response', async (response) => {
          const text = (await response.toArray()).join('');
          server.close(() => resolve(text));
        });
      });
  });
