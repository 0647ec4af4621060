// Node-API on one side, the C++ of this folder on the other: checks arguments,
// converts values, decides nothing. src/native.ts types what is exported here.

#include <napi.h>

#include "fast_path.h"
#include "libuv.h"
#include "tcp_handle.h"

namespace loopback {

namespace {

// One per environment: the main thread and every worker have their own.
struct Instance {
  Libuv uv;
  const char* missing;  // what the host does not export, or nullptr
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
// there is none, and where an exception is pending. The reference is flipped
// and put back; nothing can come in between, since nothing here waits.
uv_handle_s* FindTcpHandle(Napi::Object handle) {
  const Napi::Env env = handle.Env();
  const Instance& instance = *env.GetInstanceData<Instance>();
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

  uv_handle_s* found = nullptr;
  bool more = true;
  for (size_t first = 0; more && found == nullptr;
       first += UnreferencedTcpHandles::kCapacity) {
    if (CallMethod(handle, "unref").IsNothing()) return nullptr;
    const UnreferencedTcpHandles candidates(instance.uv, loop, first);
    if (CallMethod(handle, "ref").IsNothing()) return nullptr;
    found = candidates.NowReferenced();
    more = candidates.full();
  }
  if (!had_ref && CallMethod(handle, "unref").IsNothing()) return nullptr;
  return found;
}

// setFastPath(handle: object, on: boolean, family: 4 | 6, ipv6Only: boolean):
//   Failure | 'not-tcp' | 'dual-stack' | undefined
Napi::Value SetFastPathOfHandle(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (!info[0].IsObject()) return Reject(env, "handle must be an object");
  if (!info[1].IsBoolean()) return Reject(env, "on must be a boolean");
  const int family = ToFamily(info[2]);
  if (family == 0) return Reject(env, "family must be 4 or 6");
  if (!info[3].IsBoolean()) return Reject(env, "ipv6Only must be a boolean");
  const bool on = info[1].As<Napi::Boolean>().Value();
  const bool ipv6_only = info[3].As<Napi::Boolean>().Value();

  uv_handle_s* const handle = FindTcpHandle(info[0].As<Napi::Object>());
  if (env.IsExceptionPending()) return Napi::Value();
  if (handle == nullptr) return Napi::String::New(env, "not-tcp");
  const Libuv& uv = env.GetInstanceData<Instance>()->uv;

  if (SocketOf(uv, handle) == INVALID_SOCKET) {
    const Failure failure = BindAny(uv, handle, family, ipv6_only);
    if (failure) return ToValue(env, failure);
  }
  const SOCKET socket = SocketOf(uv, handle);
  if (family == AF_INET6 && ipv6_only) {
    // The socket may have been bound by Node, for localAddress or a listener.
    bool is_ipv6_only = false;
    const Failure failure = ReadIPv6Only(socket, &is_ipv6_only);
    if (failure) return ToValue(env, failure);
    if (!is_ipv6_only) return Napi::String::New(env, "dual-stack");
  }
  return ToValue(env, SetFastPath(socket, on));
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
  return exports;
}

}  // namespace

}  // namespace loopback

// The macro wants plain names.
using loopback::Init;
NODE_API_MODULE(loopback_fast_path, Init)
