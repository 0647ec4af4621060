#include "tcp_info.h"

namespace loopback {

namespace {

// _WSAIORW(IOC_VENDOR, 39). Spelled out as older headers lack the name.
constexpr DWORD kSioTcpInfo = 0xD8000027;

}  // namespace

Failure ReadTcpInfo(SOCKET socket, TcpInfo* info) {
  DWORD version = 0;
  DWORD bytes_returned = 0;
  if (WSAIoctl(socket, kSioTcpInfo, &version, sizeof version, info->bytes,
               TcpInfo::kSize, &bytes_returned, nullptr,
               nullptr) == SOCKET_ERROR) {
    return {"WSAIoctl", WSAGetLastError()};
  }
  info->size =
      bytes_returned < TcpInfo::kSize ? bytes_returned : TcpInfo::kSize;
  return {};
}

}  // namespace loopback
