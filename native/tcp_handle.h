#pragma once

#include "fast_path.h"
#include "libuv.h"

// From a libuv TCP handle to its SOCKET.

namespace loopback {

// Memory for a list of handles.
struct HandleRoom final {
  HandleRoom() = default;
  // There is none where `handles` is nullptr afterwards.
  explicit HandleRoom(size_t size);
  ~HandleRoom() { delete[] handles; }
  HandleRoom(const HandleRoom&) = delete;
  HandleRoom& operator=(const HandleRoom&) = delete;

  void Swap(HandleRoom& other);

  uv_handle_s** handles = nullptr;
  size_t capacity = 0;
};

// Node-API gives no way from a JS handle to its uv_handle_t. But the JS handle
// has ref() and unref(), and libuv tells which of its handles are referenced:
// the one that is unreferenced while this is made and referenced afterwards is
// the one whose ref() was called in between.
//
// Most handles of a program are referenced, but not always: http.Agent unrefs
// every idle socket. So the list grows. What is not TCP is not listed: each
// MessagePort that a program has unreferenced would cost as much again.
// The pointers are good until the loop runs again.
class UnreferencedTcpHandles final {
 public:
  // `spare` is taken, and given back as large as it had to become: to find so
  // much memory again for each lookup takes a quarter of its time. A lookup
  // within another, from a ref() of the program's own, finds nothing there.
  UnreferencedTcpHandles(const Libuv& uv, uv_loop_s* loop, HandleRoom& spare);
  ~UnreferencedTcpHandles() { spare_.Swap(room_); }
  UnreferencedTcpHandles(const UnreferencedTcpHandles&) = delete;
  UnreferencedTcpHandles& operator=(const UnreferencedTcpHandles&) = delete;

  // The one that is referenced by now, if it is open; nullptr if there is none,
  // or several.
  uv_handle_s* NowReferenced() const;

  // Whether there was no memory for all of them.
  bool incomplete() const { return incomplete_; }

 private:
  void Visit(uv_handle_s* handle);
  bool Grow();

  static constexpr size_t kFewHandles = 64;

  const Libuv& uv_;
  HandleRoom& spare_;
  HandleRoom room_;
  uv_handle_s* few_[kFewHandles];
  uv_handle_s** handles_ = few_;
  size_t capacity_ = kFewHandles;
  size_t count_ = 0;
  bool incomplete_ = false;
};

// The SOCKET that libuv made for a handle; INVALID_SOCKET before there is one.
SOCKET SocketOf(const Libuv& uv, const uv_handle_s* handle);

// Lets libuv make the handle's SOCKET by binding it to ANY:0 of `family`
// (AF_INET or AF_INET6): what its connect would do next. `ipv6_only` speaks of
// AF_INET6.
Failure BindAny(const Libuv& uv, uv_handle_s* handle, int family,
                bool ipv6_only);

}  // namespace loopback
