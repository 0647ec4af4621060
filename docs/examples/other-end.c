/*
 * The other end of a session with Node.js, on the loopback fast path: plain Winsock,
 * valid as C and as C++. Windows 8, Server 2012 and later.
 *
 *   cl other-end.c ws2_32.lib
 *   x86_64-w64-mingw32-gcc other-end.c -o other-end.exe -lws2_32
 *
 *   other-end connect PORT   sends "hello" to 127.0.0.1:PORT and prints what comes back
 *   other-end listen         prints a port, and sends the first connection back what it gets
 */

#include <winsock2.h>
/* After it: */
#include <ws2tcpip.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef SIO_LOOPBACK_FAST_PATH
#define SIO_LOOPBACK_FAST_PATH 0x98000010
#endif

/*
 * Before connect() or ConnectEx(), or before listen(): sockets that are accepted then
 * have it by themselves. Returns 0 where Windows accepted it, else the error; on
 * WSAEOPNOTSUPP (an old Windows, a layered provider) go on with the ordinary path.
 */
static int use_loopback_fast_path(SOCKET tcp_socket) {
  BOOL on = TRUE;
  DWORD bytes_returned = 0; /* must be there, and says nothing */
  if (WSAIoctl(tcp_socket, SIO_LOOPBACK_FAST_PATH, &on, sizeof on, NULL, 0,
               &bytes_returned, NULL, NULL) == SOCKET_ERROR) {
    return WSAGetLastError();
  }
  return 0;
}

static int fail(const char* call) {
  printf("%s failed: %d\n", call, WSAGetLastError());
  return 1;
}

int main(int argc, char** argv) {
  const int connects = argc == 3 && strcmp(argv[1], "connect") == 0;
  const int listens = argc == 2 && strcmp(argv[1], "listen") == 0;
  WSADATA data;
  SOCKET own, peer;
  struct sockaddr_in address;
  int size = sizeof address;
  int error, count;
  char buffer[4096];

  if (!connects && !listens) {
    printf("Usage: other-end connect PORT | other-end listen\n");
    return 2;
  }
  if (WSAStartup(MAKEWORD(2, 2), &data) != 0) return 1;
  memset(&address, 0, sizeof address);
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons((u_short)(connects ? atoi(argv[2]) : 0));

  own = peer = socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
  if (own == INVALID_SOCKET) return fail("socket");
  error = use_loopback_fast_path(own);
  if (error == 0)
    printf("fast path: accepted\n");
  else
    printf("fast path: error %d, the ordinary path\n", error);

  if (connects) {
    if (connect(own, (struct sockaddr*)&address, size) != 0) {
      return fail("connect");
    }
    if (send(own, "hello", 5, 0) != 5) return fail("send");
    shutdown(own, SD_SEND);
  } else {
    if (bind(own, (struct sockaddr*)&address, size) != 0) return fail("bind");
    if (listen(own, SOMAXCONN) != 0) return fail("listen");
    getsockname(own, (struct sockaddr*)&address, &size);
    printf("port: %d\n", ntohs(address.sin_port));
    fflush(stdout);
    peer = accept(own, NULL, NULL);
    if (peer == INVALID_SOCKET) return fail("accept");
  }

  while ((count = recv(peer, buffer, sizeof buffer, 0)) > 0) {
    if (listens && send(peer, buffer, count, 0) != count) return fail("send");
    printf("received: %.*s\n", count, buffer);
  }
  if (count < 0) return fail("recv");
  closesocket(peer);
  if (listens) closesocket(own);
  WSACleanup();
  return 0;
}
