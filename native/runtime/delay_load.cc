// Imports from node.exe are delay-loaded, and this answers the first call of
// each with the function of the host, whatever the host's file is called. lld
// makes the thunks; with MSVC node-gyp brings a hook of its own instead.

#include "../host.h"

#include <delayimp.h>

extern "C" IMAGE_DOS_HEADER __ImageBase;

namespace {

template <typename T>
const T* At(DWORD rva) {
  return reinterpret_cast<const T*>(
      reinterpret_cast<const unsigned char*>(&__ImageBase) + rva);
}

}  // namespace

// `slot` is the entry of the import address table that the caller jumped
// through; the entry of the name table at the same index says what it wants.
extern "C" FARPROC WINAPI __delayLoadHelper2(const ImgDelayDescr* descriptor,
                                             FARPROC* slot) {
  const auto* const slots = At<FARPROC>(descriptor->rvaIAT);
  const auto* const names = At<IMAGE_THUNK_DATA>(descriptor->rvaINT);
  const auto* const name = At<IMAGE_IMPORT_BY_NAME>(
      static_cast<DWORD>(names[slot - slots].u1.AddressOfData));
  const FARPROC function = GetProcAddress(loopback::HostModule(), name->Name);
  // Node checked NAPI_VERSION before it loaded this file, so the host has every
  // function of that version. One that lies about it must not run on.
  if (function == nullptr) FatalExit(ERROR_PROC_NOT_FOUND);
  *slot = function;
  return function;
}
