#pragma once

#include "fast_path.h"

// What Windows counts of one TCP connection.

namespace loopback {

// A TCP_INFO_v0 of mstcpip.h, which older headers lack, as the system wrote it;
// src/cli/tcp-info.ts names what is in it.
struct TcpInfo {
  static constexpr size_t kSize = 88;

  unsigned char bytes[kSize];
  // How many of them the system wrote.
  size_t size;
};

// SIO_TCP_INFO on a connected TCP socket: Windows 10 1703, Server 2016. Changes
// nothing, and needs no rights.
Failure ReadTcpInfo(SOCKET socket, TcpInfo* info);

}  // namespace loopback
