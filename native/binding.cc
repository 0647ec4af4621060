// Node-API on one side, the C++ of this folder on the other: checks arguments,
// converts values, decides nothing. src/native/binding.ts types what is
// exported here.

#include <napi.h>

#include "fast_path.h"
#include "libuv.h"
#include "tcp_handle.h"
#include "tcp_info.h"

namespace loopback {

namespace {

// One per environment: the main thread and every worker have their own.
struct Instance {
  Libuv uv{};
  const char* missing = nullptr;  // what the host does not export
  HandleRoom room;                // of its last lookup
};

// A worker can be terminated at any moment; from then on its JavaScript cannot
// be reached, and nobody is left to be told of a failure. So none is looked at
// here, nor in Reject().
void Set(Napi::Object object, const char* name, Napi::Value value) {
  napi_set_named_property(object.Env(), object, name, value);
}

// { syscall, errno, message }, or undefined for success.
Napi::Value ToValue(Napi::Env env, const Failure& failure) {
  if (!failure) return env.Undefined();
  wchar_t text[512];
  const size_t length =
      SystemMessage(failure.error, text, sizeof text / sizeof *text);
  Napi::Object object = Napi::Object::New(env);
  Set(object, "syscall", Napi::String::New(env, failure.syscall));
  Set(object, "errno", Napi::Number::New(env, failure.error));
  Set(object, "message",
      Napi::String::New(env, reinterpret_cast<const char16_t*>(text), length));
  return object;
}

Napi::Value Reject(Napi::Env env, const char* message) {
  napi_throw_type_error(env, nullptr, message);
  return Napi::Value();
}

// An address family as JavaScript says it: 4 or 6. 0 for anything else.
int ToFamily(const Napi::Value& value) {
  if (!value.IsNumber()) return 0;
  const double number = value.As<Napi::Number>().DoubleValue();
  return number == 4 ? AF_INET : number == 6 ? AF_INET6 : 0;
}

// Calls handle[name](), with nothing but a JavaScript exception to go wrong.
Napi::Maybe<Napi::Value> CallMethod(Napi::Object handle, const char* name) {
  const Napi::Maybe<Napi::Value> method = handle.Get(name);
  if (method.IsNothing()) return Napi::Nothing<Napi::Value>();
  if (!method.Unwrap().IsFunction()) {
    Reject(handle.Env(), "the handle has no ref(), unref() and hasRef()");
    return Napi::Nothing<Napi::Value>();
  }
  return method.Unwrap().As<Napi::Function>().Call(handle, 0, nullptr);
}

// The libuv handle under a JS handle of this environment's loop. nullptr where
// there is none, where an exception is pending, and for want of memory, which
// is then `failure`. The reference is flipped and put back; nothing can come in
// between, since nothing here waits.
uv_handle_s* FindTcpHandle(Napi::Object handle, Failure* failure) {
  const Napi::Env env = handle.Env();
  Instance& instance = *env.GetInstanceData<Instance>();
  if (instance.missing != nullptr) {
    Reject(env, "the host does not export libuv");
    return nullptr;
  }
  uv_loop_s* loop = nullptr;
  if (napi_get_uv_event_loop(env, &loop) != napi_ok) {
    Reject(env, "the host has no event loop");
    return nullptr;
  }

  const Napi::Maybe<Napi::Value> referenced = CallMethod(handle, "hasRef");
  if (referenced.IsNothing()) return nullptr;
  const bool had_ref = referenced.Unwrap().IsBoolean() &&
                       referenced.Unwrap().As<Napi::Boolean>().Value();

  if (CallMethod(handle, "unref").IsNothing()) return nullptr;
  const UnreferencedTcpHandles candidates(instance.uv, loop, instance.room);
  if (CallMethod(handle, "ref").IsNothing()) return nullptr;
  uv_handle_s* const found = candidates.NowReferenced();
  if (found == nullptr && candidates.incomplete()) {
    *failure = {"HeapAlloc", WSA_NOT_ENOUGH_MEMORY};
  }
  if (!had_ref && CallMethod(handle, "unref").IsNothing()) return nullptr;
  return found;
}

// Which AF_INET6 sockets get the fast path: src/native/binding.ts.
enum class IPv6 : unsigned char { kNone, kOnly, kDualStack };

// setFastPath(handle: object, on: boolean, family: 4 | 6, ipv6: 0 | 1 | 2):
//   Failure | 'not-tcp' | 'ipv6' | 'dual-stack' | 4 | 6
Napi::Value SetFastPathOfHandle(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (!info[0].IsObject()) return Reject(env, "handle must be an object");
  if (!info[1].IsBoolean()) return Reject(env, "on must be a boolean");
  int family = ToFamily(info[2]);
  if (family == 0) return Reject(env, "family must be 4 or 6");
  const double wanted =
      info[3].IsNumber() ? info[3].As<Napi::Number>().DoubleValue() : -1;
  if (wanted != 0 && wanted != 1 && wanted != 2) {
    return Reject(env, "ipv6 must be 0, 1 or 2");
  }
  const bool on = info[1].As<Napi::Boolean>().Value();
  const IPv6 ipv6 = static_cast<IPv6>(static_cast<int>(wanted));

  Failure no_memory;
  uv_handle_s* const handle =
      FindTcpHandle(info[0].As<Napi::Object>(), &no_memory);
  if (env.IsExceptionPending()) return Napi::Value();
  if (no_memory) return ToValue(env, no_memory);
  if (handle == nullptr) return Napi::String::New(env, "not-tcp");
  const Libuv& uv = env.GetInstanceData<Instance>()->uv;

  SOCKET socket = SocketOf(uv, handle);
  const bool is_bound = socket != INVALID_SOCKET;
  if (is_bound) {
    // By Node for localAddress or a listener, or by the program with
    // net.BoundSocket, perhaps to another family than its target's.
    const Failure failure = ReadFamily(socket, &family);
    if (failure) return ToValue(env, failure);
  }
  if (family == AF_INET6 && ipv6 == IPv6::kNone) {
    return Napi::String::New(env, "ipv6");
  }
  if (!is_bound) {
    const Failure failure = BindAny(uv, handle, family, ipv6 == IPv6::kOnly);
    if (failure) return ToValue(env, failure);
    socket = SocketOf(uv, handle);
  } else if (family == AF_INET6 && ipv6 == IPv6::kOnly) {
    bool is_ipv6_only = false;
    const Failure failure = ReadIPv6Only(socket, &is_ipv6_only);
    if (failure) return ToValue(env, failure);
    if (!is_ipv6_only) return Napi::String::New(env, "dual-stack");
  }
  const Failure failure = SetFastPath(socket, on);
  if (failure) return ToValue(env, failure);
  return Napi::Number::New(env, family == AF_INET6 ? 6 : 4);
}

// probe(family: 4 | 6, on: boolean): Failure | undefined
Napi::Value Probe(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const int family = ToFamily(info[0]);
  if (family == 0) return Reject(env, "family must be 4 or 6");
  if (!info[1].IsBoolean()) return Reject(env, "on must be a boolean");
  return ToValue(env,
                 ProbeFastPath(family, info[1].As<Napi::Boolean>().Value()));
}

// isLayered(family: 4 | 6): Failure | boolean
Napi::Value IsLayered(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const int family = ToFamily(info[0]);
  if (family == 0) return Reject(env, "family must be 4 or 6");
  bool layered = false;
  const Failure failure = ProbeLayer(family, &layered);
  return failure ? ToValue(env, failure) : Napi::Boolean::New(env, layered);
}

// tcpInfo(handle: object): Failure | 'not-tcp' | Buffer
Napi::Value TcpInfoOfHandle(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (!info[0].IsObject()) return Reject(env, "handle must be an object");
  Failure failure;
  uv_handle_s* const handle =
      FindTcpHandle(info[0].As<Napi::Object>(), &failure);
  if (env.IsExceptionPending()) return Napi::Value();
  if (failure) return ToValue(env, failure);
  if (handle == nullptr) return Napi::String::New(env, "not-tcp");
  const Libuv& uv = env.GetInstanceData<Instance>()->uv;

  TcpInfo read{};
  failure = ReadTcpInfo(SocketOf(uv, handle), &read);
  if (failure) return ToValue(env, failure);
  napi_value copy = nullptr;
  napi_create_buffer_copy(env, read.size, read.bytes, nullptr, &copy);
  return Napi::Value(env, copy);
}

Napi::Object Init(Napi::Env env, Napi::Object exports) {
  Instance* const instance = new Instance();
  instance->missing = instance->uv.Resolve();
  env.SetInstanceData(instance);

  if (instance->missing != nullptr) {
    Set(exports, "missingHostFunction",
        Napi::String::New(env, instance->missing));
  }
  Set(exports, "setFastPath",
      Napi::Function::New<SetFastPathOfHandle>(env, "setFastPath"));
  Set(exports, "probe", Napi::Function::New<Probe>(env, "probe"));
  Set(exports, "isLayered", Napi::Function::New<IsLayered>(env, "isLayered"));
  Set(exports, "tcpInfo", Napi::Function::New<TcpInfoOfHandle>(env, "tcpInfo"));
  return exports;
}

}  // namespace

}  // namespace loopback

// The macro wants plain names.
using loopback::Init;
NODE_API_MODULE(loopback_fast_path, Init)
