#pragma once

#include <cstddef>

// The part of libuv that is used, and nothing of its structs: libuv promises a
// stable ABI for functions, Node-API promises none for what lies inside a
// handle. The functions are looked up in the host at run time, so that a host
// without them (another runtime with Node-API) gives an error and no crash.

struct sockaddr;
struct uv_loop_s;
struct uv_handle_s;

namespace loopback {

// UV_TCP of uv_handle_type, UV_TCP_IPV6ONLY of uv_tcp_flags: part of the ABI of
// libuv 1.x.
constexpr int kUvTcp = 12;
constexpr unsigned int kUvTcpIPv6Only = 1;

struct Libuv {
  using WalkCallback = void (*)(uv_handle_s* handle, void* argument);

  void (*walk)(uv_loop_s* loop, WalkCallback callback, void* argument);
  int (*has_ref)(const uv_handle_s* handle);
  int (*is_closing)(const uv_handle_s* handle);
  int (*handle_get_type)(const uv_handle_s* handle);
  int (*handle_fileno)(const uv_handle_s* handle, void** fd);
  int (*tcp_bind)(uv_handle_s* handle, const sockaddr* address,
                  unsigned int flags);

  // Fills the table from the host. Returns the name of the first function that
  // the host does not export, or nullptr.
  const char* Resolve();
};

}  // namespace loopback
