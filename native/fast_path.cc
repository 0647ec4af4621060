#include "fast_path.h"

#include <ws2tcpip.h>

namespace loopback {

namespace {

// R1. Spelled out because older MinGW headers lack the name.
constexpr DWORD kSioLoopbackFastPath = 0x98000010;
// R9. From mswsock.h, which would bring declarations that nothing here needs.
constexpr DWORD kSioBaseHandle = 0x48000022;

Failure LastError(const char* syscall) { return {syscall, WSAGetLastError()}; }

// R2 to R8: 4 bytes in, nothing out, a place for the byte count, synchronous.
Failure Ioctl(SOCKET socket, bool on) {
  BOOL value = on ? TRUE : FALSE;
  DWORD bytes_returned = 0;
  if (WSAIoctl(socket, kSioLoopbackFastPath, &value, sizeof value, nullptr, 0,
               &bytes_returned, nullptr, nullptr) == SOCKET_ERROR) {
    return LastError("WSAIoctl");
  }
  return {};
}

// R9. The socket itself where the provider is not layered or does not say.
SOCKET BaseSocket(SOCKET socket) {
  SOCKET base = INVALID_SOCKET;
  DWORD bytes_returned = 0;
  if (WSAIoctl(socket, kSioBaseHandle, nullptr, 0, &base, sizeof base,
               &bytes_returned, nullptr, nullptr) == SOCKET_ERROR ||
      base == INVALID_SOCKET) {
    return socket;
  }
  return base;
}

class OwnedSocket final {
 public:
  explicit OwnedSocket(SOCKET socket) : socket_(socket) {}
  ~OwnedSocket() {
    if (socket_ != INVALID_SOCKET) closesocket(socket_);
  }
  OwnedSocket(const OwnedSocket&) = delete;
  OwnedSocket& operator=(const OwnedSocket&) = delete;

  SOCKET get() const { return socket_; }

 private:
  const SOCKET socket_;
};

}  // namespace

Failure SetFastPath(SOCKET socket, bool on) {
  const Failure failure = Ioctl(socket, on);
  if (failure.error != WSAEOPNOTSUPP) return failure;
  const SOCKET base = BaseSocket(socket);
  return base == socket ? failure : Ioctl(base, on);
}

Failure ProbeFastPath(int family, bool on) {
  // Overlapped and not inherited, as libuv makes its sockets.
  const OwnedSocket socket(
      WSASocketW(family, SOCK_STREAM, IPPROTO_TCP, nullptr, 0,
                 WSA_FLAG_OVERLAPPED | WSA_FLAG_NO_HANDLE_INHERIT));
  if (socket.get() == INVALID_SOCKET) return LastError("WSASocket");
  if (family == AF_INET6) {
    const DWORD only = 1;
    if (setsockopt(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY,
                   reinterpret_cast<const char*>(&only),
                   sizeof only) == SOCKET_ERROR) {
      return LastError("setsockopt");
    }
  }
  return SetFastPath(socket.get(), on);
}

Failure ReadIPv6Only(SOCKET socket, bool* ipv6_only) {
  DWORD only = 0;
  int size = sizeof only;
  if (getsockopt(socket, IPPROTO_IPV6, IPV6_V6ONLY,
                 reinterpret_cast<char*>(&only), &size) == SOCKET_ERROR) {
    return LastError("getsockopt");
  }
  *ipv6_only = only != 0;
  return {};
}

size_t SystemMessage(int error, wchar_t* text, size_t capacity) {
  DWORD length =
      FormatMessageW(FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_IGNORE_INSERTS,
                     nullptr, static_cast<DWORD>(error), 0, text,
                     static_cast<DWORD>(capacity), nullptr);
  while (length > 0 &&
         (text[length - 1] == L'\n' || text[length - 1] == L'\r' ||
          text[length - 1] == L' ' || text[length - 1] == L'.')) {
    --length;
  }
  return length;
}

}  // namespace loopback
