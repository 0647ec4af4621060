#pragma once

#include <node_api.h>

#include "system.h"

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

// As much of Node-API as the addon asks for, with its rules: an exception that
// is pending keeps JavaScript from running, and in a worker that is terminated
// nothing runs any more.

// A JavaScript value. Whatever is not set is as in an empty one of its type.
struct napi_value__ {
  napi_valuetype type = napi_undefined;
  bool boolean = false;
  double number = 0;
  std::u16string text;
  std::string bytes;  // of a buffer
  std::map<std::string, napi_value> properties;
  bool throws = false;  // reading a property
  // Of a function: written in JavaScript, or by the addon.
  std::function<napi_value(napi_value self)> body;
  napi_callback native = nullptr;
};

struct napi_callback_info__ {
  std::vector<napi_value> arguments;
};

struct napi_ref__ {
  napi_value value;
};

struct napi_env__ {
  napi_env__();
  ~napi_env__();
  napi_env__(const napi_env__&) = delete;
  napi_env__& operator=(const napi_env__&) = delete;

  napi_value New(napi_valuetype type);
  napi_value Boolean(bool value);
  napi_value Number(double value);
  napi_value String(const std::u16string& text);
  napi_value Function(std::function<napi_value(napi_value self)> body);
  // What a JavaScript function that throws returns.
  napi_value Throw();
  // Whether JavaScript runs; a terminated worker finds out here.
  bool Runs();

  std::vector<std::unique_ptr<napi_value__>> values;
  napi_value exception = nullptr;
  size_t until_termination = SIZE_MAX;
  bool has_loop = true;
  // The handle whose unref() and ref() are watched.
  napi_value watched = nullptr;
  size_t references = 0;
  size_t scopes = 0;
  void* instance = nullptr;
  napi_finalize finalize = nullptr;
  void* finalize_hint = nullptr;
};
