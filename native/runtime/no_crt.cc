// What compiler and headers want of a C++ runtime, so that the shipped binaries
// import only the host, KERNEL32 and WS2_32. Not used with MSVC.

#include <cstddef>
#include <new>

#include "../host.h"

// A failed allocation of a few bytes leaves nothing to go on with, and there
// are no exceptions to say so.
void* operator new(std::size_t size) {
  void* const memory = HeapAlloc(GetProcessHeap(), 0, size);
  if (memory == nullptr) FatalExit(ERROR_NOT_ENOUGH_MEMORY);
  return memory;
}
void* operator new[](std::size_t size) { return operator new(size); }
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept {
  return HeapAlloc(GetProcessHeap(), 0, size);
}
void operator delete(void* memory) noexcept {
  if (memory != nullptr) HeapFree(GetProcessHeap(), 0, memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  operator delete(memory);
}
void operator delete[](void* memory) noexcept { operator delete(memory); }
void operator delete[](void* memory, std::size_t) noexcept {
  operator delete(memory);
}

// libstdc++ reports misuse through these; with exceptions off there is nothing
// to unwind.
namespace std {
const nothrow_t nothrow{};
void __throw_logic_error(const char*) { FatalExit(ERROR_INVALID_PARAMETER); }
void __throw_length_error(const char*) { FatalExit(ERROR_INVALID_PARAMETER); }
void __throw_bad_alloc() { FatalExit(ERROR_NOT_ENOUGH_MEMORY); }
}  // namespace std

// Through volatile, or the compiler would turn each loop into a call of the
// very function that it is in.
extern "C" {

std::size_t strlen(const char* text) {
  const volatile char* end = text;
  while (*end != '\0') ++end;
  return static_cast<std::size_t>(end - text);
}

void* memcpy(void* target, const void* source, std::size_t size) {
  volatile char* to = static_cast<char*>(target);
  const char* from = static_cast<const char*>(source);
  for (; size > 0; --size) *to++ = *from++;
  return target;
}

void* memmove(void* target, const void* source, std::size_t size) {
  if (target <= source) return memcpy(target, source, size);
  volatile char* to = static_cast<char*>(target);
  const char* from = static_cast<const char*>(source);
  for (; size > 0; --size) to[size - 1] = from[size - 1];
  return target;
}

void* memset(void* target, int value, std::size_t size) {
  volatile char* to = static_cast<char*>(target);
  for (; size > 0; --size) *to++ = static_cast<char>(value);
  return target;
}

}  // extern "C"
