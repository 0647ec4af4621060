#include "tcp_handle.h"

#include <ws2tcpip.h>

namespace loopback {

ReferenceWatch::Tally ReferenceWatch::CountUnreferenced() const {
  Tally tally{&uv_, 0, 0};
  uv_.walk(
      loop_,
      [](uv_handle_s* handle, void* argument) {
        Tally* const tally = static_cast<Tally*>(argument);
        if (tally->uv->has_ref(handle) != 0) return;
        tally->count += 1;
        tally->mix ^= reinterpret_cast<size_t>(handle);
      },
      &tally);
  return tally;
}

bool ReferenceWatch::Contains(const uv_handle_s* handle) const {
  struct Search {
    const uv_handle_s* wanted;
    bool found;
  } search{handle, false};
  uv_.walk(
      loop_,
      [](uv_handle_s* visited, void* argument) {
        Search* const search = static_cast<Search*>(argument);
        if (visited == search->wanted) search->found = true;
      },
      &search);
  return search.found;
}

uv_handle_s* ReferenceWatch::After() const {
  const Tally after = CountUnreferenced();
  if (after.count + 1 != before_.count && before_.count + 1 != after.count) {
    return nullptr;
  }
  uv_handle_s* const handle =
      reinterpret_cast<uv_handle_s*>(before_.mix ^ after.mix);
  // Flipping three handles at once leaves the mix of three addresses, which is
  // no address: ask before it is used as one.
  if (!Contains(handle)) return nullptr;
  if (uv_.handle_get_type(handle) != kUvTcp) return nullptr;
  if (uv_.is_closing(handle) != 0) return nullptr;
  return handle;
}

SOCKET SocketOf(const Libuv& uv, const uv_handle_s* handle) {
  void* fd = nullptr;
  if (uv.handle_fileno(handle, &fd) != 0) return INVALID_SOCKET;
  return reinterpret_cast<SOCKET>(fd);
}

Failure BindAny(const Libuv& uv, uv_handle_s* handle, int family,
                bool ipv6_only) {
  // All zero is the unspecified address and port 0 in both families.
  sockaddr_in any4{};
  any4.sin_family = AF_INET;
  sockaddr_in6 any6{};
  any6.sin6_family = AF_INET6;
  const bool ipv6 = family == AF_INET6;
  // libuv translates the code to one of its own. Nothing between the failing
  // Winsock call and the return of uv_tcp_bind succeeds at another, so the
  // original is still there.
  WSASetLastError(0);
  if (uv.tcp_bind(handle,
                  ipv6 ? reinterpret_cast<const sockaddr*>(&any6)
                       : reinterpret_cast<const sockaddr*>(&any4),
                  ipv6 && ipv6_only ? kUvTcpIPv6Only : 0) == 0) {
    return {};
  }
  const int error = WSAGetLastError();
  return {"bind", error != 0 ? error : WSAEINVAL};
}

}  // namespace loopback
