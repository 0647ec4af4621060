#pragma once

#include "fast_path.h"
#include "libuv.h"

// From a libuv TCP handle to its SOCKET.

namespace loopback {

// Node-API gives no way from a JS handle to its uv_handle_t. But the JS handle
// has ref() and unref(), and libuv tells which of its handles are referenced:
// the one that is unreferenced while this is made and referenced afterwards is
// the one whose ref() was called in between.
//
// Holds a batch of fixed size, from the handle with the number `first` on, so
// that neither stack nor heap grow with the number of handles. As a rule one
// batch has them all: few programs unref() sockets. The pointers are good until
// the loop runs again.
class UnreferencedTcpHandles final {
 public:
  UnreferencedTcpHandles(const Libuv& uv, uv_loop_s* loop, size_t first);

  // The one that is referenced by now; nullptr if there is none, or several.
  uv_handle_s* NowReferenced() const;

  // Whether there can be more, from this number on.
  bool full() const { return count_ == kCapacity; }
  static constexpr size_t kCapacity = 256;

 private:
  void Visit(uv_handle_s* handle);

  const Libuv& uv_;
  size_t skip_;
  size_t count_ = 0;
  uv_handle_s* handles_[kCapacity];
};

// The SOCKET that libuv made for a handle; INVALID_SOCKET before there is one.
SOCKET SocketOf(const Libuv& uv, const uv_handle_s* handle);

// Lets libuv make the handle's SOCKET by binding it to ANY:0 of `family`
// (AF_INET or AF_INET6): what its connect would do next. `ipv6_only` speaks of
// AF_INET6.
Failure BindAny(const Libuv& uv, uv_handle_s* handle, int family,
                bool ipv6_only);

}  // namespace loopback
