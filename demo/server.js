import http from 'node:http';
import net from 'node:net';
import { tryEnableLoopbackFastPath } from 'loopback-fast-path';
import { plain } from './status.js';

const web = http.createServer((request, response) => response.end(`You asked for ${request.url}\n`));
const echo = net.createServer((socket) => socket.on('error', () => {}).pipe(socket));

// The one line: before listen(), and on 127.0.0.1.
for (const server of [web, echo]) tryEnableLoopbackFastPath(server);

web.listen(0, '127.0.0.1', () => {
  echo.listen(0, '127.0.0.1', () => {
    process.send({
      httpPort: web.address().port,
      echoPort: echo.address().port,
      statuses: [
        ['http.Server', plain(web)],
        ['net.Server', plain(echo)],
      ],
    });
  });
});

process.once('message', () => {
  web.close();
  web.closeAllConnections();
  echo.close();
  process.disconnect();
});
