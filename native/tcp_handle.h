#pragma once

#include "libuv.h"
#include "winsock.h"

// From a libuv TCP handle to its SOCKET.

namespace loopback {

// Finds the one handle of a loop whose reference changes between two moments.
// Node-API gives no way from a JS handle to its uv_handle_t, but the JS handle
// has ref() and unref(), and uv_has_ref() shows their effect from outside:
//
//   ReferenceWatch watch(uv, loop);
//   watch.Before();  /* flip the reference in JavaScript */
//   uv_handle_s* handle = watch.After();
//
// Nothing is remembered but a sum, so the memory is the same for 1 and for
// 10,000 handles, and no pointer outlives what it points to.
class ReferenceWatch final {
 public:
  ReferenceWatch(const Libuv& uv, uv_loop_s* loop) : uv_(uv), loop_(loop) {}

  void Before() { before_ = CountUnreferenced(); }

  // The handle, if exactly one changed and it is an open TCP handle; nullptr
  // otherwise.
  uv_handle_s* After() const;

 private:
  struct Tally {
    const Libuv* uv;
    size_t count;
    size_t mix;  // the addresses, xor-ed
  };

  Tally CountUnreferenced() const;
  bool Contains(const uv_handle_s* handle) const;

  const Libuv& uv_;
  uv_loop_s* const loop_;
  Tally before_{};
};

// The SOCKET that libuv made for a handle; INVALID_SOCKET before there is one.
SOCKET SocketOf(const Libuv& uv, const uv_handle_s* handle);

// Lets libuv make the handle's SOCKET by binding it to ANY:0 of `family`
// (AF_INET or AF_INET6): what its connect would do next. `ipv6_only` speaks of
// AF_INET6.
Failure BindAny(const Libuv& uv, uv_handle_s* handle, int family,
                bool ipv6_only);

}  // namespace loopback
