#include "host.h"

#include "libuv.h"

namespace loopback {

HMODULE HostModule() {
  const HMODULE library = GetModuleHandleW(L"libnode.dll");
  return library != nullptr ? library : GetModuleHandleW(nullptr);
}

namespace {

template <typename Function>
bool ResolveFunction(HMODULE host, const char* name, Function* function) {
  // Through void*: the one conversion that no compiler warns of.
  *function = reinterpret_cast<Function>(
      reinterpret_cast<void*>(GetProcAddress(host, name)));
  return *function != nullptr;
}

}  // namespace

const char* Libuv::Resolve() {
  const HMODULE host = HostModule();
  if (!ResolveFunction(host, "uv_walk", &walk)) return "uv_walk";
  if (!ResolveFunction(host, "uv_has_ref", &has_ref)) return "uv_has_ref";
  if (!ResolveFunction(host, "uv_is_closing", &is_closing))
    return "uv_is_closing";
  if (!ResolveFunction(host, "uv_handle_get_type", &handle_get_type))
    return "uv_handle_get_type";
  if (!ResolveFunction(host, "uv_fileno", &handle_fileno)) return "uv_fileno";
  if (!ResolveFunction(host, "uv_tcp_bind", &tcp_bind)) return "uv_tcp_bind";
  return nullptr;
}

}  // namespace loopback
