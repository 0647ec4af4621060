#include "tcp_handle.h"

#include <ws2tcpip.h>

#include <new>
#include <utility>

namespace loopback {

HandleRoom::HandleRoom(size_t size)
    : handles(new(std::nothrow) uv_handle_s*[size]), capacity(size) {}

void HandleRoom::Swap(HandleRoom& other) {
  std::swap(handles, other.handles);
  std::swap(capacity, other.capacity);
}

UnreferencedTcpHandles::UnreferencedTcpHandles(const Libuv& uv, uv_loop_s* loop,
                                               HandleRoom& spare)
    : uv_(uv), spare_(spare) {
  room_.Swap(spare);
  if (room_.handles != nullptr) {
    handles_ = room_.handles;
    capacity_ = room_.capacity;
  }
  uv_.walk(
      loop,
      [](uv_handle_s* handle, void* self) {
        static_cast<UnreferencedTcpHandles*>(self)->Visit(handle);
      },
      this);
}

void UnreferencedTcpHandles::Visit(uv_handle_s* handle) {
  // The type first: it lies beside what the walk reads anyway.
  if (uv_.handle_get_type(handle) != kUvTcp || uv_.has_ref(handle) != 0) return;
  if (count_ == capacity_ && !Grow()) return;
  handles_[count_++] = handle;
}

bool UnreferencedTcpHandles::Grow() {
  HandleRoom larger(capacity_ * 4);
  if (larger.handles == nullptr) {
    incomplete_ = true;
    return false;
  }
  for (size_t i = 0; i < count_; ++i) larger.handles[i] = handles_[i];
  room_.Swap(larger);
  handles_ = room_.handles;
  capacity_ = room_.capacity;
  return true;
}

uv_handle_s* UnreferencedTcpHandles::NowReferenced() const {
  uv_handle_s* found = nullptr;
  for (size_t i = 0; i < count_; ++i) {
    if (uv_.has_ref(handles_[i]) == 0) continue;
    if (found != nullptr) return nullptr;
    found = handles_[i];
  }
  return found == nullptr || uv_.is_closing(found) != 0 ? nullptr : found;
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
