#include "environment.h"

#include <cstdio>

napi_env__::napi_env__() = default;

napi_env__::~napi_env__() {
  if (finalize != nullptr) finalize(this, instance, finalize_hint);
  CHECK(references == 0);
  CHECK(scopes == 0);
}

napi_value napi_env__::New(napi_valuetype type) {
  values.push_back(std::make_unique<napi_value__>());
  values.back()->type = type;
  return values.back().get();
}

napi_value napi_env__::Boolean(bool value) {
  const napi_value made = New(napi_boolean);
  made->boolean = value;
  return made;
}

napi_value napi_env__::Number(double value) {
  const napi_value made = New(napi_number);
  made->number = value;
  return made;
}

napi_value napi_env__::String(const std::u16string& text) {
  const napi_value made = New(napi_string);
  made->text = text;
  return made;
}

napi_value napi_env__::Function(
    std::function<napi_value(napi_value self)> body) {
  const napi_value made = New(napi_function);
  made->body = std::move(body);
  return made;
}

napi_value napi_env__::Throw() {
  if (!the_system->terminated && exception == nullptr)
    exception = New(napi_object);
  return nullptr;
}

bool napi_env__::Runs() {
  if (until_termination == 0) the_system->terminated = true;
  if (until_termination != SIZE_MAX) until_termination -= 1;
  return !the_system->terminated && exception == nullptr;
}

namespace {

std::u16string FromAscii(const char* text, size_t length) {
  std::u16string result;
  for (size_t i = 0; length == NAPI_AUTO_LENGTH ? text[i] != '\0' : i < length;
       ++i)
    result.push_back(static_cast<char16_t>(text[i]));
  return result;
}

std::string ToAscii(const std::u16string& text) {
  std::string result;
  for (const char16_t unit : text) result.push_back(static_cast<char>(unit));
  return result;
}

bool IsObject(napi_value value) {
  return value->type == napi_object || value->type == napi_function;
}

napi_status GetProperty(napi_env env, napi_value object,
                        const std::string& name, napi_value* result) {
  if (!env->Runs()) return napi_pending_exception;
  if (!IsObject(object)) return napi_object_expected;
  if (object->throws) {
    env->Throw();
    return napi_pending_exception;
  }
  const auto found = object->properties.find(name);
  *result = found == object->properties.end() ? env->New(napi_undefined)
                                              : found->second;
  return napi_ok;
}

}  // namespace

extern "C" {

napi_status napi_typeof(napi_env, napi_value value, napi_valuetype* result) {
  CHECK(value != nullptr);
  *result = value->type;
  return napi_ok;
}

napi_status napi_get_undefined(napi_env env, napi_value* result) {
  *result = env->New(napi_undefined);
  return napi_ok;
}

napi_status napi_get_boolean(napi_env env, bool value, napi_value* result) {
  *result = env->Boolean(value);
  return napi_ok;
}

napi_status napi_create_double(napi_env env, double value, napi_value* result) {
  *result = env->Number(value);
  return napi_ok;
}

napi_status napi_create_object(napi_env env, napi_value* result) {
  *result = env->New(napi_object);
  return napi_ok;
}

napi_status napi_create_buffer_copy(napi_env env, size_t length,
                                    const void* data, void** copy,
                                    napi_value* result) {
  CHECK(copy == nullptr);
  if (!env->Runs()) return napi_pending_exception;
  *result = env->New(napi_object);
  (*result)->bytes.assign(static_cast<const char*>(data), length);
  return napi_ok;
}

napi_status napi_create_string_utf8(napi_env env, const char* text,
                                    size_t length, napi_value* result) {
  *result = env->String(FromAscii(text, length));
  return napi_ok;
}

napi_status napi_create_string_utf16(napi_env env, const char16_t* text,
                                     size_t length, napi_value* result) {
  CHECK(length != NAPI_AUTO_LENGTH);
  *result = env->String(std::u16string(text, length));
  return napi_ok;
}

napi_status napi_create_function(napi_env env, const char*, size_t,
                                 napi_callback native, void*,
                                 napi_value* result) {
  *result = env->New(napi_function);
  (*result)->native = native;
  return napi_ok;
}

// node-addon-api makes one where Node-API refuses what it is asked. Only in a
// worker that is terminated it may.
napi_status napi_create_error(napi_env env, napi_value, napi_value,
                              napi_value* result) {
  CHECK(the_system->terminated);
  return napi_create_object(env, result);
}

napi_status napi_create_type_error(napi_env env, napi_value, napi_value,
                                   napi_value* result) {
  return napi_create_error(env, nullptr, nullptr, result);
}

napi_status napi_get_value_bool(napi_env, napi_value value, bool* result) {
  if (value->type != napi_boolean) return napi_boolean_expected;
  *result = value->boolean;
  return napi_ok;
}

napi_status napi_get_value_double(napi_env, napi_value value, double* result) {
  if (value->type != napi_number) return napi_number_expected;
  *result = value->number;
  return napi_ok;
}

napi_status napi_get_cb_info(napi_env env, napi_callback_info info,
                             size_t* count, napi_value* arguments,
                             napi_value* self, void** data) {
  if (count != nullptr) {
    for (size_t i = 0; arguments != nullptr && i < *count; ++i)
      arguments[i] = i < info->arguments.size() ? info->arguments[i]
                                                : env->New(napi_undefined);
    *count = info->arguments.size();
  }
  if (self != nullptr) *self = env->New(napi_undefined);
  if (data != nullptr) *data = nullptr;
  return napi_ok;
}

napi_status napi_get_named_property(napi_env env, napi_value object,
                                    const char* name, napi_value* result) {
  return GetProperty(env, object, name, result);
}

napi_status napi_get_property(napi_env env, napi_value object, napi_value key,
                              napi_value* result) {
  return GetProperty(env, object, ToAscii(key->text), result);
}

napi_status napi_has_property(napi_env env, napi_value object, napi_value key,
                              bool* result) {
  if (!env->Runs()) return napi_pending_exception;
  *result = object->properties.count(ToAscii(key->text)) > 0;
  return napi_ok;
}

napi_status napi_set_named_property(napi_env env, napi_value object,
                                    const char* name, napi_value value) {
  if (!env->Runs()) return napi_pending_exception;
  object->properties[name] = value;
  return napi_ok;
}

napi_status napi_define_properties(napi_env env, napi_value, size_t,
                                   const napi_property_descriptor*) {
  return env->Runs() ? napi_ok : napi_pending_exception;
}

napi_status napi_call_function(napi_env env, napi_value self,
                               napi_value function, size_t count,
                               const napi_value*, napi_value* result) {
  if (!env->Runs()) return napi_pending_exception;
  CHECK(function->type == napi_function && count == 0);
  const napi_value returned =
      function->body ? function->body(self) : env->New(napi_undefined);
  // Nor is it too late in there for a worker to be terminated.
  if (!env->Runs()) return napi_pending_exception;
  if (self == env->watched) {
    Operation& operation = the_system->operation();
    if (self->properties["unref"] == function)
      operation.Unreferenced(the_system->loop);
    else if (self->properties["ref"] == function)
      operation.Referenced();
  }
  if (result != nullptr) *result = returned;
  return napi_ok;
}

napi_status napi_throw(napi_env env, napi_value error) {
  if (!env->Runs()) return napi_pending_exception;
  env->exception = error;
  return napi_ok;
}

napi_status napi_throw_type_error(napi_env env, const char* code,
                                  const char* message) {
  if (!env->Runs()) return napi_pending_exception;
  CHECK(code == nullptr && message != nullptr);
  env->Throw();
  return napi_ok;
}

napi_status napi_is_exception_pending(napi_env env, bool* result) {
  *result = env->exception != nullptr;
  return napi_ok;
}

napi_status napi_get_and_clear_last_exception(napi_env env,
                                              napi_value* result) {
  *result =
      env->exception != nullptr ? env->exception : env->New(napi_undefined);
  env->exception = nullptr;
  return napi_ok;
}

napi_status napi_get_last_error_info(node_api_basic_env,
                                     const napi_extended_error_info** result) {
  static const napi_extended_error_info kNothing{};
  *result = &kNothing;
  return napi_ok;
}

napi_status napi_create_reference(napi_env env, napi_value value, uint32_t,
                                  napi_ref* result) {
  env->references += 1;
  *result = new napi_ref__{value};
  return napi_ok;
}

napi_status napi_get_reference_value(napi_env, napi_ref reference,
                                     napi_value* result) {
  *result = reference->value;
  return napi_ok;
}

napi_status napi_delete_reference(node_api_basic_env env, napi_ref reference) {
  const_cast<napi_env>(env)->references -= 1;
  delete reference;
  return napi_ok;
}

napi_status napi_open_handle_scope(napi_env env, napi_handle_scope* result) {
  env->scopes += 1;
  *result = nullptr;
  return napi_ok;
}

napi_status napi_close_handle_scope(napi_env env, napi_handle_scope) {
  env->scopes -= 1;
  return napi_ok;
}

napi_status napi_set_instance_data(node_api_basic_env basic, void* data,
                                   napi_finalize finalize, void* hint) {
  const napi_env env = const_cast<napi_env>(basic);
  CHECK(env->instance == nullptr);
  env->instance = data;
  env->finalize = finalize;
  env->finalize_hint = hint;
  return napi_ok;
}

napi_status napi_get_instance_data(node_api_basic_env env, void** data) {
  *data = env->instance;
  return napi_ok;
}

napi_status napi_get_uv_event_loop(node_api_basic_env env, uv_loop_s** loop) {
  if (!env->has_loop) return napi_generic_failure;
  *loop = &the_system->loop;
  return napi_ok;
}

void napi_fatal_error(const char* location, size_t, const char* message,
                      size_t) {
  std::fprintf(stderr, "%s\n", location);
  Fail("napi_fatal_error", 0, message);
}

}  // extern "C"
