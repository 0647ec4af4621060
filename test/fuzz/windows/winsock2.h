#pragma once

// The declarations of Windows' headers that native/ uses, for a build on Linux:
// what stands behind them is ../system.cc. wchar_t is made 16 bits wide by the
// build. windows.h and ws2tcpip.h lead here as well.

#include <cstddef>
#include <cstdint>

using BOOL = int;
using DWORD = uint32_t;
using HMODULE = void*;
using FARPROC = intptr_t (*)();
using SOCKET = uintptr_t;
using GROUP = unsigned int;
using ADDRESS_FAMILY = uint16_t;
struct WSAOVERLAPPED;
struct WSAPROTOCOL_INFOW;
using WSAOVERLAPPED_COMPLETION_ROUTINE = void (*)(DWORD, DWORD, WSAOVERLAPPED*,
                                                  DWORD);

constexpr BOOL FALSE = 0;
constexpr BOOL TRUE = 1;
constexpr SOCKET INVALID_SOCKET = ~SOCKET{0};
constexpr int SOCKET_ERROR = -1;
constexpr int AF_INET = 2;
constexpr int AF_INET6 = 23;
constexpr int SOCK_STREAM = 1;
constexpr int IPPROTO_TCP = 6;
constexpr int IPPROTO_IPV6 = 41;
constexpr int IPV6_V6ONLY = 27;
constexpr DWORD WSA_FLAG_OVERLAPPED = 0x01;
constexpr DWORD WSA_FLAG_NO_HANDLE_INHERIT = 0x80;
constexpr int WSA_NOT_ENOUGH_MEMORY = 8;
constexpr int WSAEINVAL = 10022;
constexpr int WSAEOPNOTSUPP = 10045;
constexpr DWORD FORMAT_MESSAGE_IGNORE_INSERTS = 0x200;
constexpr DWORD FORMAT_MESSAGE_FROM_SYSTEM = 0x1000;

struct sockaddr {
  ADDRESS_FAMILY sa_family;
  char sa_data[14];
};
struct sockaddr_in {
  ADDRESS_FAMILY sin_family;
  uint16_t sin_port;
  uint32_t sin_addr;
  char sin_zero[8];
};
struct sockaddr_in6 {
  ADDRESS_FAMILY sin6_family;
  uint16_t sin6_port;
  uint32_t sin6_flowinfo;
  unsigned char sin6_addr[16];
  uint32_t sin6_scope_id;
};
struct sockaddr_storage {
  ADDRESS_FAMILY ss_family;
  char padding[126];
};

SOCKET WSASocketW(int family, int type, int protocol, WSAPROTOCOL_INFOW* info,
                  GROUP group, DWORD flags);
int WSAIoctl(SOCKET socket, DWORD code, void* in, DWORD in_size, void* out,
             DWORD out_size, DWORD* bytes_returned, WSAOVERLAPPED* overlapped,
             WSAOVERLAPPED_COMPLETION_ROUTINE routine);
int setsockopt(SOCKET socket, int level, int option, const char* value,
               int size);
int getsockopt(SOCKET socket, int level, int option, char* value, int* size);
int getsockname(SOCKET socket, sockaddr* name, int* size);
int closesocket(SOCKET socket);
int WSAGetLastError();
void WSASetLastError(int error);
DWORD FormatMessageW(DWORD flags, const void* source, DWORD message,
                     DWORD language, wchar_t* text, DWORD capacity,
                     void* arguments);
HMODULE GetModuleHandleW(const wchar_t* name);
FARPROC GetProcAddress(HMODULE module, const char* name);
