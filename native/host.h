#pragma once

#ifndef WIN32_LEAN_AND_MEAN
#define WIN32_LEAN_AND_MEAN
#endif
#include <windows.h>

namespace loopback {

// The module that exports Node-API and libuv: the executable, whatever it is
// called (node.exe, electron.exe, a single executable application), or
// libnode.dll where Node was built as a library.
HMODULE HostModule();

}  // namespace loopback
