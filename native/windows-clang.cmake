# Toolchain file: Windows binaries on any system with clang and lld, from the
# headers of mingw-w64 and without a C runtime.
#
# LOOPBACK_ARCH: x64 (default), ia32 or arm64, in Node's words.

set(CMAKE_SYSTEM_NAME Windows)
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES LOOPBACK_ARCH)
if(NOT LOOPBACK_ARCH)
  set(LOOPBACK_ARCH x64)
endif()

if(LOOPBACK_ARCH STREQUAL "x64")
  set(triple x86_64-w64-windows-gnu)
  set(LOOPBACK_MACHINE x64)
  set(LOOPBACK_DLLTOOL_MACHINE i386:x86-64)
elseif(LOOPBACK_ARCH STREQUAL "ia32")
  set(triple i686-w64-windows-gnu)
  set(LOOPBACK_MACHINE x86)
  set(LOOPBACK_DLLTOOL_MACHINE i386)
elseif(LOOPBACK_ARCH STREQUAL "arm64")
  set(triple aarch64-w64-windows-gnu)
  set(LOOPBACK_MACHINE arm64)
  set(LOOPBACK_DLLTOOL_MACHINE arm64)
else()
  message(FATAL_ERROR "LOOPBACK_ARCH must be x64, ia32 or arm64, not ${LOOPBACK_ARCH}")
endif()

set(llvm_bin /usr/lib/llvm-19/bin)
set(CMAKE_CXX_COMPILER ${llvm_bin}/clang++)
set(CMAKE_CXX_COMPILER_TARGET ${triple})
set(CMAKE_LINKER ${llvm_bin}/lld-link)
set(LOOPBACK_DLLTOOL ${llvm_bin}/llvm-dlltool)
set(LOOPBACK_RC ${llvm_bin}/llvm-rc)
# There is no runtime to link a test program against.
set(CMAKE_CXX_COMPILER_WORKS TRUE)
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)

# The headers are the same for every machine; Debian packages them under x86_64.
file(GLOB cxx_headers /usr/lib/gcc/x86_64-w64-mingw32/*-posix/include/c++)
set(LOOPBACK_SYSTEM_INCLUDES
  -isystem${cxx_headers} -isystem${cxx_headers}/x86_64-w64-mingw32
  -isystem/usr/x86_64-w64-mingw32/include)
