#pragma once

#include <winsock2.h>

#include <fuzzer/FuzzedDataProvider.h>

#include <map>
#include <set>
#include <string>
#include <vector>

// Winsock and libuv as the fuzzer wants them: what they answer is read from its
// input, and what they are asked must be in order.

// Unlike assert(), always there.
#define CHECK(condition) \
  ((condition) ? void() : Fail(__FILE__, __LINE__, #condition))
[[noreturn]] void Fail(const char* file, int line, const char* condition);

struct uv_handle_s {
  int type;
  bool referenced;
  bool closing;
  SOCKET socket;
  int family;  // of the SOCKET
};

struct uv_loop_s {
  // In the order of a walk, in which one can come twice.
  std::vector<uv_handle_s*> handles;
};

// One call of a native function: what it asked, and what it was told.
struct Operation {
  int on = 0;             // what the ioctl must be asked for
  int family = 0;         // of a SOCKET that is made for it
  int ipv6 = 0;           // which IPv6 SOCKETs get it: 0, 1 or 2
  bool of_layer = false;  // isLayered(), which asks for the base and no more
  bool of_info = false;   // tcpInfo(), which asks for that and no more
  // The call that decides the result, last of its kind.
  std::string syscall;
  int error = 0;
  size_t calls = 0;  // of Winsock, and of uv_tcp_bind
  size_t fast_path_calls = 0;
  bool asked_for_base = false;
  int socket_family = 0;   // what getsockname said, or bind was told
  bool ipv6_only = false;  // what getsockopt said, or the SOCKET was told
  SOCKET socket = INVALID_SOCKET;
  SOCKET base = INVALID_SOCKET;
  std::u16string text;  // what FormatMessageW said
  std::string info;     // what SIO_TCP_INFO said

  // Since the latest unref() and ref() of the handle that was given.
  std::vector<uv_handle_s*> candidates;
  std::map<uv_handle_s*, bool> flipped;  // and whether it was closing by then
  bool no_memory = false;                // for a list of them
  void Unreferenced(const uv_loop_s& loop);
  void Referenced();
};

class System {
 public:
  explicit System(FuzzedDataProvider* input);
  ~System();
  System(const System&) = delete;
  System& operator=(const System&) = delete;

  // `family` is that of its SOCKET; 0 where it has none.
  uv_handle_s* AddHandle(int type, bool referenced, int family);

  // The innermost call: a method of a hostile handle can call again.
  Operation& operation() { return operations.back(); }

  FuzzedDataProvider& input;
  uv_loop_s loop;
  std::vector<Operation> operations;
  std::set<SOCKET> made;        // by WSASocketW, and not closed
  bool is_library = false;      // the host, instead of the executable
  std::string hidden_function;  // of libuv, that the host lacks
  bool terminated = false;      // the worker: it asks nothing any more
  int last_error = 0;
  SOCKET next_socket = 4;
  size_t largest_list = 0;  // bytes that an outermost lookup was given
};

// The one in use.
extern System* the_system;
