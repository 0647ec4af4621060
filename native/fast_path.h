#pragma once

#ifndef WIN32_LEAN_AND_MEAN
#define WIN32_LEAN_AND_MEAN
#endif
#include <winsock2.h>

// What Windows is asked for. Knows SOCKETs and error codes, nothing of Node or
// libuv. R, E and B numbers: docs/platform.md.

namespace loopback {

// The Winsock call that failed and what WSAGetLastError() said right after it.
// No call named: it succeeded.
struct Failure {
  const char* syscall = nullptr;
  int error = 0;

  explicit operator bool() const { return syscall != nullptr; }
};

// SIO_LOOPBACK_FAST_PATH on a TCP socket (R1 to R8). Where a layered provider
// answers WSAEOPNOTSUPP, once more on the base provider's socket (R9).
Failure SetFastPath(SOCKET socket, bool on);

// The same on a socket made for the purpose and closed again. `family` is
// AF_INET or AF_INET6; an IPv6 socket is made IPv6-only first.
Failure ProbeFastPath(int family, bool on);

// Whether such a socket is that of a layered provider (R9). Fails where the
// provider does not say.
Failure ProbeLayer(int family, bool* layered);

// The address family of a bound socket: AF_INET or AF_INET6.
Failure ReadFamily(SOCKET socket, int* family);

// Whether an AF_INET6 socket is IPv6-only. Fails with WSAENOPROTOOPT or
// WSAEINVAL for an AF_INET socket.
Failure ReadIPv6Only(SOCKET socket, bool* ipv6_only);

// The text of the system for an error number, in UTF-16 without the trailing
// line break. Returns its length; 0 where the system has none.
size_t SystemMessage(int error, wchar_t* text, size_t capacity);

}  // namespace loopback
