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

// R9. Fails where the provider does not know the code.
Failure ReadBase(SOCKET socket, SOCKET* base) {
  DWORD bytes_returned = 0;
  if (WSAIoctl(socket, kSioBaseHandle, nullptr, 0, base, sizeof *base,
               &bytes_returned, nullptr, nullptr) == SOCKET_ERROR) {
    return LastError("WSAIoctl");
  }
  return {};
}

// A socket to ask about, closed with the object.
class ProbeSocket final {
 public:
  ProbeSocket() = default;
  ~ProbeSocket() {
    if (socket_ != INVALID_SOCKET) closesocket(socket_);
  }
  ProbeSocket(const ProbeSocket&) = delete;
  ProbeSocket& operator=(const ProbeSocket&) = delete;

  // Overlapped and not inherited, as libuv makes its sockets; IPv6-only where
  // it is IPv6.
  Failure Open(int family) {
    socket_ = WSASocketW(family, SOCK_STREAM, IPPROTO_TCP, nullptr, 0,
                         WSA_FLAG_OVERLAPPED | WSA_FLAG_NO_HANDLE_INHERIT);
    if (socket_ == INVALID_SOCKET) return LastError("WSASocket");
    if (family != AF_INET6) return {};
    const DWORD only = 1;
    if (setsockopt(socket_, IPPROTO_IPV6, IPV6_V6ONLY,
                   reinterpret_cast<const char*>(&only),
                   sizeof only) == SOCKET_ERROR) {
      return LastError("setsockopt");
    }
    return {};
  }
  SOCKET get() const { return socket_; }

 private:
  SOCKET socket_ = INVALID_SOCKET;
};

}  // namespace

Failure SetFastPath(SOCKET socket, bool on) {
  const Failure failure = Ioctl(socket, on);
  if (failure.error != WSAEOPNOTSUPP) return failure;
  SOCKET base = INVALID_SOCKET;
  if (ReadBase(socket, &base) || base == INVALID_SOCKET || base == socket) {
    return failure;
  }
  return Ioctl(base, on);
}

Failure ProbeFastPath(int family, bool on) {
  ProbeSocket socket;
  const Failure failure = socket.Open(family);
  return failure ? failure : SetFastPath(socket.get(), on);
}

Failure ProbeLayer(int family, bool* layered) {
  ProbeSocket socket;
  const Failure failure = socket.Open(family);
  if (failure) return failure;
  SOCKET base = INVALID_SOCKET;
  const Failure unknown = ReadBase(socket.get(), &base);
  *layered = base != socket.get();
  return unknown;
}

Failure ReadFamily(SOCKET socket, int* family) {
  sockaddr_storage address{};
  int size = sizeof address;
  if (getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size) ==
      SOCKET_ERROR) {
    return LastError("getsockname");
  }
  *family = address.ss_family;
  return {};
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
