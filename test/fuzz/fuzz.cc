// Calls the addon, as it is shipped, with what the fuzzer thinks of: values of
// every type, handles that imitate those of Node, methods that throw, close
// handles or call again, and a system that fails at any moment. What must hold
// is in CHECK() here and in system.cc; the sanitizers watch the rest.

#include "environment.h"

#include <algorithm>
#include <cmath>

#include "../../native/libuv.h"

extern "C" napi_value napi_register_module_v1(napi_env env, napi_value exports);

namespace {

constexpr size_t kMaxDepth = 3;

class Program {
 public:
  Program(System* system, napi_env env)
      : system_(*system), input_(system->input), env_(*env) {}

  void Run() {
    if (Rarely(10)) env_.has_loop = false;
    if (Rarely(10)) {
      const char* const names[] = {"uv_walk",       "uv_has_ref",
                                   "uv_is_closing", "uv_handle_get_type",
                                   "uv_fileno",     "uv_tcp_bind"};
      system_.hidden_function = input_.PickValueInArray(names);
    }
    exports_ = env_.New(napi_object);
    napi_register_module_v1(&env_, exports_);
    CHECK(exports_->properties.count("missingHostFunction") ==
          (system_.hidden_function.empty() ? 0 : 1));
    AddHandles();
    for (int calls = 0;
         calls < 16 && input_.remaining_bytes() > 0 && !system_.terminated;
         ++calls)
      Call(0);
  }

 private:
  void AddHandles() {
    // More than the 64 that the lookup has room for, and the 256 that it makes
    // room for next, or a few.
    const bool many = Rarely(12);
    const bool all_tcp = input_.ConsumeBool();
    const size_t count =
        input_.ConsumeIntegralInRange<size_t>(many ? 60 : 0, many ? 300 : 6);
    for (size_t i = 0; i < count; ++i) {
      const unsigned kind =
          many && i > 4 ? 1 : input_.ConsumeIntegral<uint8_t>();
      system_.AddHandle(all_tcp || kind % 4 != 0 ? loopback::kUvTcp : 7,
                        (kind & 16) != 0, SocketFamily(kind >> 5));
    }
    for (uv_handle_s* handle : system_.loop.handles)
      if (!many) handle->closing = Rarely(10);
  }

  // Of a handle: 0 has no SOCKET.
  static int SocketFamily(unsigned kind) {
    return kind % 4 == 0 ? 0 : kind % 4 == 1 ? AF_INET : AF_INET6;
  }

  uv_handle_s* PickHandle() {
    const auto& handles = system_.loop.handles;
    if (handles.empty()) return nullptr;
    // Around the first one that the lookup has to make room for, or any.
    if (handles.size() > 70 && input_.ConsumeBool())
      return handles[input_.ConsumeIntegralInRange<size_t>(62, 70)];
    return handles[input_.ConsumeIntegralInRange<size_t>(0,
                                                         handles.size() - 1)];
  }

  bool IsHonest(const uv_handle_s* handle) const {
    const auto& handles = system_.loop.handles;
    return handle != nullptr && handle->type == loopback::kUvTcp &&
           !handle->closing &&
           std::count(handles.begin(), handles.end(), handle) == 1;
  }

  // A handle of Node's, or with several one that flips them together.
  napi_value RealHandle(const std::vector<uv_handle_s*>& handles) {
    const napi_value object = env_.New(napi_object);
    const auto flip = [this, handles](bool referenced) {
      return env_.Function([this, handles, referenced](napi_value) {
        for (uv_handle_s* handle : handles) handle->referenced = referenced;
        return env_.New(napi_undefined);
      });
    };
    object->properties["ref"] = flip(true);
    object->properties["unref"] = flip(false);
    object->properties["hasRef"] = env_.Function([this, handles](napi_value) {
      return env_.Boolean(handles[0]->referenced);
    });
    return object;
  }

  // What a method of a hostile handle does.
  napi_value Misbehave(size_t depth) {
    for (int steps = input_.ConsumeIntegralInRange(0, 4); steps > 0; --steps) {
      uv_handle_s* const handle = PickHandle();
      switch (input_.ConsumeIntegralInRange(0, 7)) {
        case 0:
          if (handle != nullptr) handle->referenced = true;
          break;
        case 1:
          if (handle != nullptr) handle->referenced = false;
          break;
        case 2:
          if (handle != nullptr) handle->closing = true;
          break;
        case 3:
          system_.AddHandle(loopback::kUvTcp, input_.ConsumeBool(),
                            SocketFamily(input_.ConsumeIntegral<uint8_t>()));
          break;
        case 4:
          if (handle != nullptr) system_.loop.handles.push_back(handle);
          break;
        case 5:
          if (depth < kMaxDepth) {
            const napi_value watched = env_.watched;
            Call(depth + 1);
            env_.watched = watched;
          }
          break;
        case 6:
          return env_.Throw();
        case 7:
          system_.terminated = input_.ConsumeBool();
          break;
      }
      if (system_.terminated || env_.exception != nullptr) return nullptr;
    }
    return Anything(depth);
  }

  napi_value HostileHandle(size_t depth) {
    const napi_value object = env_.New(napi_object);
    object->throws = Rarely(20);
    for (const char* name : {"ref", "unref", "hasRef"}) {
      if (Rarely(20)) {
        object->properties[name] = Anything(depth);
      } else {
        object->properties[name] = env_.Function(
            [this, depth](napi_value) { return Misbehave(depth); });
      }
    }
    // One that is nearly real, or real but for the number of handles.
    uv_handle_s* const handle = PickHandle();
    if (handle != nullptr && input_.ConsumeBool()) {
      std::vector<uv_handle_s*> handles = {handle};
      while (input_.ConsumeBool()) handles.push_back(PickHandle());
      const napi_value real = RealHandle(handles);
      const char* const names[] = {"ref", "unref", "hasRef", ""};
      const char* const kept = input_.PickValueInArray(names);
      for (const char* name : names)
        if (std::string(name) != kept)
          object->properties[name] = real->properties[name];
    }
    return object;
  }

  napi_value Anything(size_t depth) {
    constexpr double kNumbers[] = {4,  6,   0,   1,     2,   3,           -4,
                                   -1, 1.5, 4.5, 2e300, NAN, 4294967300.0};
    switch (input_.ConsumeIntegralInRange(0, 8)) {
      case 0:
        return env_.Number(input_.PickValueInArray(kNumbers));
      case 1:
        return env_.Boolean(input_.ConsumeBool());
      case 2:
        return env_.String(u"4");
      case 3:
        return env_.New(napi_null);
      case 4:
        return env_.New(napi_symbol);
      case 5:
        return env_.New(napi_function);
      case 6:
        return depth < kMaxDepth ? HostileHandle(depth + 1)
                                 : env_.New(napi_object);
      case 7:
        return env_.New(napi_bigint);
      default:
        return env_.New(napi_undefined);
    }
  }

  // Not once the input is used up.
  bool Rarely(int one_in) {
    return input_.ConsumeIntegralInRange<uint8_t>(1, 240) > 240 - 240 / one_in;
  }
  bool Sound() { return !Rarely(20); }
  napi_value ABoolean(size_t depth) {
    return Sound() ? env_.Boolean(input_.ConsumeBool()) : Anything(depth);
  }
  napi_value AFamily(size_t depth) {
    return Sound() ? env_.Number(input_.ConsumeBool() ? 4 : 6)
                   : Anything(depth);
  }

  napi_value AnIPv6(size_t depth) {
    return Sound() ? env_.Number(input_.ConsumeIntegralInRange(0, 2))
                   : Anything(depth);
  }

  static int Family(napi_value value) {
    return value->number == 4 ? AF_INET : AF_INET6;
  }
  static bool IsIPv6(napi_value value) {
    return value->type == napi_number &&
           (value->number == 0 || value->number == 1 || value->number == 2);
  }
  static bool IsFamily(napi_value value) {
    return value->type == napi_number &&
           (value->number == 4 || value->number == 6);
  }

  void Call(size_t depth) {
    // Every export, so that a new one is called as well.
    std::vector<std::string> names;
    for (const auto& [name, value] : exports_->properties)
      if (value->type == napi_function) names.push_back(name);
    const std::string name =
        names[input_.ConsumeIntegralInRange<size_t>(0, names.size() - 1)];

    napi_callback_info__ info;
    std::vector<napi_value>& arguments = info.arguments;
    uv_handle_s* target = nullptr;
    bool sound = false;
    napi_value on = nullptr;
    napi_value family = nullptr;
    napi_value ipv6 = nullptr;
    if (name == "setFastPath" || name == "tcpInfo") {
      if (input_.ConsumeBool() && (target = PickHandle()) != nullptr) {
        arguments = {RealHandle({target})};
      } else {
        arguments = {Sound() ? HostileHandle(depth) : Anything(depth)};
      }
      sound = arguments[0]->type == napi_object ||
              arguments[0]->type == napi_function;
    }
    if (name == "setFastPath") {
      arguments.push_back(on = ABoolean(depth));
      arguments.push_back(family = AFamily(depth));
      arguments.push_back(ipv6 = AnIPv6(depth));
      sound =
          sound && on->type == napi_boolean && IsFamily(family) && IsIPv6(ipv6);
    } else if (name == "probe") {
      arguments = {family = AFamily(depth), on = ABoolean(depth)};
      sound = IsFamily(family) && on->type == napi_boolean;
    } else if (name == "isLayered") {
      arguments = {family = AFamily(depth)};
      sound = IsFamily(family);
    }
    CHECK(!arguments.empty());
    const size_t needed = arguments.size();
    if (!Sound()) arguments.resize(input_.ConsumeIntegralInRange(0, 6));
    for (napi_value& argument : arguments)
      if (argument == nullptr) argument = env_.New(napi_undefined);
    const bool whole = arguments.size() >= needed;
    if (!Sound())
      env_.until_termination = input_.ConsumeIntegralInRange<size_t>(0, 40);

    env_.watched = arguments.empty() ? nullptr : arguments[0];
    const bool had_ref = target != nullptr && target->referenced;
    system_.operations.emplace_back();
    Operation& asked = system_.operation();
    asked.on = on != nullptr && on->boolean ? TRUE : FALSE;
    asked.of_layer = name == "isLayered";
    asked.of_info = name == "tcpInfo";
    if (family != nullptr && IsFamily(family)) asked.family = Family(family);
    // Of a probe's SOCKET it is IPv6-only.
    asked.ipv6 = ipv6 == nullptr ? 1
                 : IsIPv6(ipv6)  ? static_cast<int>(ipv6->number)
                                 : 0;
    const size_t made = system_.made.size();
    const napi_value result = exports_->properties[name]->native(&env_, &info);
    const Operation operation = system_.operation();
    system_.operations.pop_back();
    CHECK(system_.made.size() == made);
    if (system_.terminated) return;
    if (env_.exception != nullptr) {
      CHECK(result == nullptr && operation.calls == 0);
      const bool needs_handle = name == "setFastPath" || name == "tcpInfo";
      const bool hostile = needs_handle && target == nullptr;
      const bool has_libuv = env_.has_loop && system_.hidden_function.empty();
      CHECK(!sound || !whole || hostile || (needs_handle && !has_libuv));
      // To a method that called again it may also be one.
      if (depth == 0 || input_.ConsumeBool()) env_.exception = nullptr;
      return;
    }
    CHECK(sound && whole);
    CheckResult(name, operation, result, target);
    if (target != nullptr) CHECK(target->referenced == had_ref);
  }

  void CheckResult(const std::string& name, const Operation& operation,
                   napi_value result, const uv_handle_s* target) const {
    CHECK(result != nullptr);
    if (result->type == napi_string) {
      // Among those for which there was memory it may have been found.
      CHECK(operation.syscall.empty() || operation.syscall == "HeapAlloc");
      CHECK(operation.fast_path_calls == 0);
      if (result->text == u"not-tcp") {
        CHECK(operation.calls == 0 && operation.syscall.empty());
        CHECK(!IsHonest(target));
      } else {
        if (result->text == u"ipv6") {
          CHECK(operation.ipv6 == 0);
          // Where there is no SOCKET, none is made.
          const bool is_asked = operation.calls > 0;
          CHECK((is_asked ? operation.socket_family : operation.family) ==
                AF_INET6);
        } else {
          CHECK(result->text == u"dual-stack");
          CHECK(operation.socket_family == AF_INET6);
          CHECK(operation.ipv6 == 1 && !operation.ipv6_only);
        }
      }
    } else if (operation.syscall.empty()) {
      if (name == "setFastPath") {
        CHECK(result->type == napi_number);
        CHECK(result->number == (operation.socket_family == AF_INET6 ? 6 : 4));
        CHECK(operation.fast_path_calls > 0);
      } else if (name == "probe") {
        CHECK(result->type == napi_undefined);
        CHECK(operation.fast_path_calls > 0);
      } else if (name == "isLayered") {
        CHECK(result->type == napi_boolean && operation.asked_for_base);
        CHECK(result->boolean == (operation.base != operation.socket));
      } else {
        CHECK(result->type == napi_object && result->bytes == operation.info);
      }
    } else {
      // A failure: the call that failed, and what was said right after it.
      CHECK(result->type == napi_object);
      // R9: whoever does not know the code was asked for one below.
      if (operation.fast_path_calls == 1 && operation.error == WSAEOPNOTSUPP) {
        CHECK(operation.asked_for_base);
        CHECK(operation.base == INVALID_SOCKET ||
              operation.base == operation.socket);
      }
      // For the first 64 there is room already.
      const auto& listed = operation.candidates;
      if (operation.syscall == "HeapAlloc" && IsHonest(target))
        CHECK(std::find(listed.begin(), listed.end(), target) -
                  listed.begin() >=
              64);
      const auto& fields = result->properties;
      const std::u16string& syscall = fields.at("syscall")->text;
      CHECK(std::equal(syscall.begin(), syscall.end(),
                       operation.syscall.begin(), operation.syscall.end()));
      CHECK(fields.at("errno")->number == operation.error);
      const std::u16string& message = fields.at("message")->text;
      CHECK(operation.text.compare(0, message.size(), message) == 0);
      const std::u16string line_end = u". \r\n";
      CHECK(operation.text.find_first_not_of(line_end, message.size()) ==
            std::u16string::npos);
      CHECK(message.empty() ||
            line_end.find(message.back()) == std::u16string::npos);
    }
  }

  System& system_;
  FuzzedDataProvider& input_;
  napi_env__& env_;
  napi_value exports_ = nullptr;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  FuzzedDataProvider input(data, size);
  System system(&input);
  napi_env__ env;
  Program(&system, &env).Run();
  return 0;
}
