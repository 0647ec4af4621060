#include "system.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>

#include "../../native/libuv.h"

System* the_system = nullptr;

void Fail(const char* file, int line, const char* condition) {
  std::fprintf(stderr, "%s:%d: not so: %s\n", file, line, condition);
  std::abort();
}

namespace {

constexpr DWORD kFastPath = 0x98000010;
constexpr DWORD kBaseHandle = 0x48000022;
constexpr DWORD kTcpInfo = 0xD8000027;
constexpr int kErrors[] = {WSAEOPNOTSUPP, 10022, 10038, 997, 5, 0, -1};
// What a call that succeeds leaves: whoever reads the error too late gets it.
constexpr int kStale = 31337;

Operation& Asked() {
  CHECK(!the_system->terminated);
  the_system->operation().calls += 1;
  return the_system->operation();
}

// Whether a call succeeds, and what WSAGetLastError() says from now on.
bool Succeeds() {
  const bool success = the_system->input.ConsumeBool();
  the_system->last_error =
      success ? kStale : the_system->input.PickValueInArray(kErrors);
  return success;
}

bool Decide(const char* syscall) {
  Operation& operation = Asked();
  const bool success = Succeeds();
  operation.syscall = success ? "" : syscall;
  operation.error = success ? 0 : the_system->last_error;
  return success;
}

// The handle is an open TCP one that was flipped, and alone. Without memory for
// all of them, whoever flips several can choose between those.
void CheckHandle(uv_handle_s* handle) {
  const Operation& operation = the_system->operation();
  CHECK(operation.flipped.count(handle) == 1 && !operation.flipped.at(handle));
  CHECK(operation.flipped.size() == 1 || operation.no_memory);
}

// The SOCKET is that of the probe, or of such a handle, which is returned.
uv_handle_s* CheckSocket(SOCKET socket) {
  if (the_system->made.count(socket) > 0) return nullptr;
  CHECK(socket != INVALID_SOCKET);
  const auto& handles = the_system->loop.handles;
  const auto found = std::find_if(
      handles.begin(), handles.end(),
      [socket](const uv_handle_s* handle) { return handle->socket == socket; });
  CHECK(found != handles.end());
  CHECK(!(*found)->closing);
  CheckHandle(*found);
  return *found;
}

// -------------------------------------------------------------------- libuv

void Walk(uv_loop_s* loop, loopback::Libuv::WalkCallback callback,
          void* argument) {
  CHECK(loop == &the_system->loop);
  for (uv_handle_s* handle : loop->handles) callback(handle, argument);
}

int HasRef(const uv_handle_s* handle) { return handle->referenced ? 1 : 0; }

int IsClosing(const uv_handle_s* handle) { return handle->closing ? 1 : 0; }

int GetType(const uv_handle_s* handle) { return handle->type; }

int Fileno(const uv_handle_s* handle, void** fd) {
  if (handle->type != loopback::kUvTcp) return -4071;
  if (handle->socket == INVALID_SOCKET || handle->closing) return -4083;
  *fd = reinterpret_cast<void*>(handle->socket);
  return 0;
}

int TcpBind(uv_handle_s* handle, const sockaddr* address, unsigned int flags) {
  Operation& operation = the_system->operation();
  CheckHandle(handle);
  CHECK(handle->socket == INVALID_SOCKET || handle->closing);
  CHECK(the_system->last_error == 0);
  const auto* const bytes = reinterpret_cast<const unsigned char*>(address);
  CHECK(address->sa_family == operation.family);
  const size_t size = address->sa_family == AF_INET ? sizeof(sockaddr_in)
                                                    : sizeof(sockaddr_in6);
  CHECK(std::all_of(bytes + sizeof address->sa_family, bytes + size,
                    [](unsigned char byte) { return byte == 0; }));
  const bool ipv6_only = operation.family == AF_INET6 && operation.ipv6 == 1;
  CHECK(flags == (ipv6_only ? loopback::kUvTcpIPv6Only : 0));
  if (handle->closing) {
    // libuv asks nobody.
    Asked().syscall = "bind";
    operation.error = WSAEINVAL;
    return -4071;
  }
  if (!Decide("bind")) {
    if (operation.error == 0) operation.error = WSAEINVAL;
    return -4094;
  }
  handle->socket = the_system->next_socket += 4;
  handle->family = operation.socket_family = operation.family;
  operation.ipv6_only = ipv6_only;
  return 0;
}

}  // namespace

void Operation::Unreferenced(const uv_loop_s& loop) {
  candidates.clear();
  for (uv_handle_s* handle : loop.handles)
    if (handle->type == loopback::kUvTcp && !handle->referenced)
      candidates.push_back(handle);
}

void Operation::Referenced() {
  flipped.clear();
  for (uv_handle_s* handle : candidates)
    if (handle->referenced) flipped.emplace(handle, handle->closing);
}

System::System(FuzzedDataProvider* from) : input(*from) {
  is_library = input.ConsumeBool();
  the_system = this;
}

System::~System() {
  CHECK(made.empty());
  CHECK(operations.empty());
  const std::set<uv_handle_s*> handles(loop.handles.begin(),
                                       loop.handles.end());
  for (uv_handle_s* handle : handles) delete handle;
  the_system = nullptr;
}

uv_handle_s* System::AddHandle(int type, bool referenced, int family) {
  const bool has_socket = type == loopback::kUvTcp && family != 0;
  auto* const handle =
      new uv_handle_s{type, referenced, false,
                      has_socket ? next_socket += 4 : INVALID_SOCKET, family};
  loop.handles.push_back(handle);
  return handle;
}

// The list of handles, and nothing else here, is allocated in this way.
void* operator new[](size_t size, const std::nothrow_t&) noexcept {
  Operation& operation = the_system->operation();
  // What one lookup was given it leaves to the next, but to none within it.
  const bool is_outermost = the_system->operations.size() == 1;
  CHECK(!is_outermost || size > the_system->largest_list);
  // Now and then, and not once the input is used up.
  if (the_system->input.ConsumeIntegral<uint8_t>() % 4 != 3) {
    if (is_outermost) the_system->largest_list = size;
    return operator new[](size);
  }
  operation.no_memory = true;
  operation.syscall = "HeapAlloc";
  operation.error = WSA_NOT_ENOUGH_MEMORY;
  return nullptr;
}

// ------------------------------------------------------------------ Windows

SOCKET WSASocketW(int family, int type, int protocol, WSAPROTOCOL_INFOW* info,
                  GROUP group, DWORD flags) {
  Operation& operation = the_system->operation();
  CHECK(family == operation.family);
  CHECK(type == SOCK_STREAM && protocol == IPPROTO_TCP);
  CHECK(info == nullptr && group == 0);
  CHECK(flags == (WSA_FLAG_OVERLAPPED | WSA_FLAG_NO_HANDLE_INHERIT));
  if (!Decide("WSASocket")) return INVALID_SOCKET;
  const SOCKET socket = the_system->next_socket += 4;
  the_system->made.insert(socket);
  operation.socket_family = family;
  return socket;
}

int closesocket(SOCKET socket) {
  // Of libuv's SOCKETs none is ours to close.
  CHECK(the_system->made.erase(socket) == 1);
  Asked();
  return Succeeds() ? 0 : SOCKET_ERROR;
}

int setsockopt(SOCKET socket, int level, int option, const char* value,
               int size) {
  CHECK(the_system->made.count(socket) == 1);
  Operation& operation = the_system->operation();
  CHECK(level == IPPROTO_IPV6 && option == IPV6_V6ONLY);
  CHECK(operation.socket_family == AF_INET6);
  DWORD only = 0;
  CHECK(size == sizeof only);
  std::memcpy(&only, value, sizeof only);
  CHECK(only == 1);
  if (!Decide("setsockopt")) return SOCKET_ERROR;
  operation.ipv6_only = true;
  return 0;
}

int getsockopt(SOCKET socket, int level, int option, char* value, int* size) {
  CHECK(level == IPPROTO_IPV6 && option == IPV6_V6ONLY);
  CheckSocket(socket);
  // Of interest there alone.
  Operation& operation = the_system->operation();
  CHECK(operation.socket_family == AF_INET6 && operation.ipv6 == 1);
  const DWORD only = the_system->input.ConsumeIntegral<uint8_t>() % 3;
  CHECK(*size == sizeof only);
  std::memcpy(value, &only, sizeof only);
  if (!Decide("getsockopt")) return SOCKET_ERROR;
  operation.ipv6_only = only != 0;
  return 0;
}

int getsockname(SOCKET socket, sockaddr* name, int* size) {
  Operation& operation = the_system->operation();
  const uv_handle_s* const handle = CheckSocket(socket);
  CHECK(handle != nullptr);
  CHECK(operation.socket_family == 0);
  CHECK(*size >= int{sizeof(sockaddr_in6)});
  *size =
      handle->family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6);
  std::memset(name, 0xff, static_cast<size_t>(*size));
  if (!Decide("getsockname")) return SOCKET_ERROR;
  name->sa_family = static_cast<ADDRESS_FAMILY>(handle->family);
  operation.socket_family = handle->family;
  return 0;
}

int WSAIoctl(SOCKET socket, DWORD code, void* in, DWORD in_size, void* out,
             DWORD out_size, DWORD* bytes_returned, WSAOVERLAPPED* overlapped,
             WSAOVERLAPPED_COMPLETION_ROUTINE routine) {
  // R6, R7.
  CHECK(bytes_returned != nullptr);
  CHECK(overlapped == nullptr && routine == nullptr);
  *bytes_returned = the_system->input.ConsumeIntegral<DWORD>();
  Operation& operation = the_system->operation();

  if (code == kFastPath) {
    // R3 to R5.
    CHECK(in_size == 4 && out == nullptr && out_size == 0);
    CHECK(*static_cast<const BOOL*>(in) == operation.on);
    CHECK(!operation.of_layer && !operation.of_info);
    CHECK(operation.socket_family != 0);
    if (operation.socket_family == AF_INET6)
      CHECK(operation.ipv6_only ? operation.ipv6 > 0 : operation.ipv6 == 2);
    if (operation.fast_path_calls == 0) {
      CheckSocket(socket);
      operation.socket = socket;
    } else {
      // R9: once more, on the base provider's socket, and only then.
      CHECK(operation.fast_path_calls == 1);
      CHECK(operation.error == WSAEOPNOTSUPP);
      CHECK(operation.base != INVALID_SOCKET && socket == operation.base);
      CHECK(socket != operation.socket);
    }
    operation.fast_path_calls += 1;
    return Decide("WSAIoctl") ? 0 : SOCKET_ERROR;
  }

  if (code == kTcpInfo) {
    CHECK(operation.of_info && operation.calls == 0);
    CHECK(in_size == sizeof(DWORD) && *static_cast<const DWORD*>(in) == 0);
    CHECK(out != nullptr && out_size == 88);
    // It may have no SOCKET yet.
    if (socket != INVALID_SOCKET) CheckSocket(socket);
    if (!Decide("WSAIoctl")) return SOCKET_ERROR;
    // What it claims to have written may be more.
    operation.info.assign(std::min<size_t>(*bytes_returned, out_size), 'x');
    std::memcpy(out, operation.info.data(), operation.info.size());
    return 0;
  }

  CHECK(code == kBaseHandle && !operation.of_info);
  CHECK(!operation.asked_for_base);
  CHECK(in == nullptr && in_size == 0 && out_size == sizeof(SOCKET));
  operation.asked_for_base = true;
  CheckSocket(socket);
  constexpr SOCKET kNone = INVALID_SOCKET;
  const SOCKET bases[] = {socket, socket + 1, kNone};
  const SOCKET base = the_system->input.PickValueInArray(bases);
  // Also where it fails: then it means nothing.
  std::memcpy(out, &base, sizeof base);
  if (operation.of_layer) {
    operation.socket = socket;
    if (!Decide("WSAIoctl")) return SOCKET_ERROR;
  } else {
    CHECK(operation.fast_path_calls == 1 && operation.error == WSAEOPNOTSUPP);
    CHECK(socket == operation.socket);
    Asked();
    if (!Succeeds()) return SOCKET_ERROR;
  }
  operation.base = base;
  return 0;
}

int WSAGetLastError() { return the_system->last_error; }

void WSASetLastError(int error) { the_system->last_error = error; }

DWORD FormatMessageW(DWORD flags, const void* source, DWORD message,
                     DWORD language, wchar_t* text, DWORD capacity,
                     void* arguments) {
  Operation& operation = the_system->operation();
  CHECK(flags == (FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_IGNORE_INSERTS));
  CHECK(source == nullptr && language == 0 && arguments == nullptr);
  CHECK(static_cast<int>(message) == operation.error);
  constexpr char16_t kUnits[] = {u'x', u'.', u' ', u'\r', u'\n', 0, 0xd800};
  const DWORD length = the_system->input.ConsumeBool()
                           ? the_system->input.ConsumeIntegralInRange<DWORD>(
                                 0, std::min<DWORD>(capacity - 1, 8))
                           : capacity - 1;
  operation.text.assign(length, u' ');
  for (char16_t& unit : operation.text)
    unit = the_system->input.PickValueInArray(kUnits);
  static_assert(sizeof(wchar_t) == sizeof(char16_t));
  std::memcpy(text, operation.text.data(), length * sizeof *text);
  text[length] = 0;
  the_system->last_error = kStale;
  return length;
}

HMODULE GetModuleHandleW(const wchar_t* name) {
  if (name == nullptr) return the_system;
  CHECK(std::u16string(u"libnode.dll") ==
        reinterpret_cast<const char16_t*>(name));
  return the_system->is_library ? &the_system->is_library : nullptr;
}

FARPROC GetProcAddress(HMODULE module, const char* name) {
  CHECK(module ==
        GetModuleHandleW(the_system->is_library ? L"libnode.dll" : nullptr));
  struct {
    const char* name;
    void* function;
  } const exports[] = {
      {"uv_walk", reinterpret_cast<void*>(Walk)},
      {"uv_has_ref", reinterpret_cast<void*>(HasRef)},
      {"uv_is_closing", reinterpret_cast<void*>(IsClosing)},
      {"uv_handle_get_type", reinterpret_cast<void*>(GetType)},
      {"uv_fileno", reinterpret_cast<void*>(Fileno)},
      {"uv_tcp_bind", reinterpret_cast<void*>(TcpBind)},
  };
  for (const auto& each : exports) {
    if (std::strcmp(each.name, name) == 0 &&
        the_system->hidden_function != name)
      return reinterpret_cast<FARPROC>(each.function);
  }
  return nullptr;
}
