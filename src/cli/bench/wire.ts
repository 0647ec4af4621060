// How the two ends of a measurement talk; bench/native/twin.cc does the same. The
// client sends a header, the server a byte that says it was read; then every
// `request` bytes that come in get `response` bytes back.

import type { Socket } from 'node:net';

/** Two 64-bit numbers, little endian: bytes of a request, bytes of a response. */
const HEADER_BYTES = 16;

export function header(request: number, response: number): Buffer {
  const bytes = Buffer.alloc(HEADER_BYTES);
  bytes.writeBigUInt64LE(BigInt(request), 0);
  bytes.writeBigUInt64LE(BigInt(response), 8);
  return bytes;
}

/** The server's end of a connection. */
export function serve(socket: Socket): void {
  let head: Buffer | undefined = Buffer.alloc(0);
  let request = 0;
  let left = 0;
  let response = message(0);
  // The client resets connections when it has measured.
  socket.on('error', () => {});
  socket.on('data', (data) => {
    if (head !== undefined) {
      head = Buffer.concat([head, data]);
      if (head.length < HEADER_BYTES) return;
      left = request = Number(head.readBigUInt64LE(0));
      response = message(Number(head.readBigUInt64LE(8)));
      socket.write(message(1));
      left -= head.length - HEADER_BYTES;
      head = undefined;
    } else {
      left -= data.length;
    }
    for (; left <= 0; left += request) socket.write(response);
  });
}

const messages = new Map<number, Buffer>();

/** Bytes to send, the same for everybody who wants that many. */
export function message(bytes: number): Buffer {
  let found = messages.get(bytes);
  if (found === undefined) {
    found = Buffer.alloc(bytes, 'loopback ');
    messages.set(bytes, found);
  }
  return found;
}
