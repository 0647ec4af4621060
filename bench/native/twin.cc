// The loops of src/cli/bench on plain Winsock with a completion port: what the
// system can do, beside what Node makes of it. Not shipped; `bench --native`
// starts it twice and talks to it through its standard streams.
//
//   serve     prints { u32 plain port, u32 fast port or 0, u32 why not }, then
//             serves as wire.ts does, until its input ends
//   measure   reads commands and answers each with { u32 error, u32 count } and
//             count times u64 nanoseconds, until its input ends

#include <winsock2.h>
// After it:
#include <ws2tcpip.h>

#include <cstdint>

namespace {

constexpr DWORD kFastPath = 0x98000010;
// Something hangs that takes as long.
constexpr DWORD kStandstillMs = 5000;
constexpr size_t kLongestMessage = 1 << 20;
// What libuv reads at once.
constexpr size_t kReadSize = 64 * 1024;
constexpr size_t kMostSamples = 1 << 20;

// What goes over the wire, and through standard input.
struct Header {
  uint64_t request;
  uint64_t response;
};
struct Command {
  uint32_t port;
  uint32_t fast;
  uint32_t kind;
  uint32_t connections;
  uint64_t bytes;   // of a message, or of a write
  uint64_t amount;  // round trips: nanoseconds; throughput: writes of each
                    // connection
};
constexpr uint32_t kRoundTrips = 0;

char outgoing[kLongestMessage];
uint64_t samples[kMostSamples];

// ------------------------------------------------------------------ streams

void Print(const void* bytes, size_t size) {
  const char* from = static_cast<const char*>(bytes);
  while (size > 0) {
    DWORD written = 0;
    if (!WriteFile(GetStdHandle(STD_OUTPUT_HANDLE), from,
                   static_cast<DWORD>(size), &written, nullptr))
      ExitProcess(1);
    from += written;
    size -= written;
  }
}

// Whether all of it came before the end of the input.
bool Read(void* bytes, size_t size) {
  char* to = static_cast<char*>(bytes);
  while (size > 0) {
    DWORD read = 0;
    if (!ReadFile(GetStdHandle(STD_INPUT_HANDLE), to, static_cast<DWORD>(size),
                  &read, nullptr) ||
        read == 0)
      return false;
    to += read;
    size -= read;
  }
  return true;
}

uint64_t Now() {
  LARGE_INTEGER frequency;
  LARGE_INTEGER ticks;
  QueryPerformanceFrequency(&frequency);
  QueryPerformanceCounter(&ticks);
  return static_cast<uint64_t>(static_cast<double>(ticks.QuadPart) * 1e9 /
                               static_cast<double>(frequency.QuadPart));
}

// -------------------------------------------------------------- connections

// One connection on a port, at either end. What it does with what it receives
// is for its kind to say. An operation that succeeds at once is not reported by
// the port, as in libuv.
class Connection {
 public:
  Connection(HANDLE port, SOCKET socket) : socket_(socket) {
    const HANDLE handle = reinterpret_cast<HANDLE>(socket);
    CreateIoCompletionPort(handle, port, reinterpret_cast<ULONG_PTR>(this), 0);
    at_once_ = SetFileCompletionNotificationModes(
                   handle, FILE_SKIP_COMPLETION_PORT_ON_SUCCESS) != 0;
  }
  virtual ~Connection() { closesocket(socket_); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // What the port reports.
  void OnCompletion(const OVERLAPPED* operation, DWORD bytes, bool ok) {
    pending_ -= 1;
    if (operation == &sending_) {
      is_sending_ = false;
      if (ok) OnSent();
    } else if (ok && bytes > 0) {
      OnReceived(incoming_, bytes);
      Receive();
    } else {
      closed_ = true;
    }
  }

  // Whether it can be deleted.
  bool IsOver() const { return closed_ && pending_ == 0; }
  // Whether the system will write to it yet.
  bool IsPending() const { return pending_ > 0; }

  // Receives until there is nothing more for now.
  void Receive() {
    while (!closed_ && !enough_) {
      WSABUF buffer{kReadSize, incoming_};
      DWORD bytes = 0;
      DWORD flags = 0;
      receiving_ = {};
      if (WSARecv(socket_, &buffer, 1, &bytes, &flags, &receiving_, nullptr) ==
          SOCKET_ERROR) {
        if (WSAGetLastError() == WSA_IO_PENDING)
          pending_ += 1;
        else
          closed_ = true;
        return;
      }
      if (!at_once_) {
        pending_ += 1;
        return;
      }
      if (bytes == 0)
        closed_ = true;
      else
        OnReceived(incoming_, bytes);
    }
  }

 protected:
  virtual void OnReceived(const char*, size_t) {}
  virtual void OnSent() {}

  // Sends so many bytes; false where that is not over yet, and OnSent() comes.
  bool Send(size_t size) {
    WSABUF buffer{static_cast<ULONG>(size), outgoing};
    DWORD bytes = 0;
    sending_ = {};
    is_sending_ = true;
    if (WSASend(socket_, &buffer, 1, &bytes, 0, &sending_, nullptr) ==
        SOCKET_ERROR) {
      if (WSAGetLastError() != WSA_IO_PENDING) {
        closed_ = true;
        return false;
      }
    } else if (at_once_) {
      is_sending_ = false;
      return true;
    }
    pending_ += 1;
    return false;
  }
  bool IsSending() const { return is_sending_; }

  bool closed_ = false;
  // Nothing more is wanted.
  bool enough_ = false;

 private:
  const SOCKET socket_;
  OVERLAPPED receiving_{};
  OVERLAPPED sending_{};
  int pending_ = 0;
  bool at_once_ = false;
  bool is_sending_ = false;
  char incoming_[kReadSize];
};

// Waits for one completion. False after a standstill.
bool RunOnce(HANDLE port, DWORD milliseconds, Connection** connection) {
  DWORD bytes = 0;
  ULONG_PTR key = 0;
  OVERLAPPED* operation = nullptr;
  const bool ok = GetQueuedCompletionStatus(port, &bytes, &key, &operation,
                                            milliseconds) != 0;
  if (operation == nullptr) return false;
  *connection = reinterpret_cast<Connection*>(key);
  (*connection)->OnCompletion(operation, bytes, ok);
  return true;
}

sockaddr_in Loopback(uint32_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = static_cast<u_short>((port & 0xff) << 8 | port >> 8);
  address.sin_addr.s_addr = 0x0100007f;
  return address;
}

void NoDelay(SOCKET socket) {
  const DWORD on = 1;
  setsockopt(socket, IPPROTO_TCP, TCP_NODELAY,
             reinterpret_cast<const char*>(&on), sizeof on);
}

// A TCP socket, on the fast path if that is wanted. *error is 0 for success.
SOCKET NewSocket(bool fast, int* error) {
  *error = 0;
  const SOCKET made = WSASocketW(AF_INET, SOCK_STREAM, IPPROTO_TCP, nullptr, 0,
                                 WSA_FLAG_OVERLAPPED);
  BOOL on = TRUE;
  DWORD bytes = 0;
  if (made == INVALID_SOCKET ||
      (fast && WSAIoctl(made, kFastPath, &on, sizeof on, nullptr, 0, &bytes,
                        nullptr, nullptr) == SOCKET_ERROR))
    *error = WSAGetLastError();
  return made;
}

// -------------------------------------------------------------------- serve

// serve() of wire.ts.
class Served final : public Connection {
 public:
  using Connection::Connection;

 private:
  void OnReceived(const char* data, size_t size) override {
    for (; head_size_ < sizeof head_ && size > 0; --size) {
      reinterpret_cast<char*>(&head_)[head_size_++] = *data++;
      if (head_size_ < sizeof head_) continue;
      left_ = static_cast<int64_t>(head_.request);
      if (head_.request == 0 || head_.response > kLongestMessage) {
        closed_ = true;
        return;
      }
      Send(1);
    }
    if (head_size_ < sizeof head_) return;
    left_ -= static_cast<int64_t>(size);
    OnSent();
  }

  // A response is due, and the one before it is on its way.
  void OnSent() override {
    while (left_ <= 0 && head_size_ == sizeof head_ && !IsSending() &&
           !closed_) {
      left_ += static_cast<int64_t>(head_.request);
      Send(head_.response);
    }
  }

  Header head_{};
  size_t head_size_ = 0;
  int64_t left_ = 0;
};

struct Listener {
  HANDLE port;
  SOCKET socket;
};

DWORD WINAPI AcceptAll(void* argument) {
  const Listener& listener = *static_cast<const Listener*>(argument);
  for (;;) {
    const SOCKET socket = accept(listener.socket, nullptr, nullptr);
    if (socket == INVALID_SOCKET) return 1;
    NoDelay(socket);
    // Its first receive is for the thread of the port.
    Connection* const connection = new Served(listener.port, socket);
    PostQueuedCompletionStatus(
        listener.port, 0, reinterpret_cast<ULONG_PTR>(connection), nullptr);
  }
}

// Ends the process with its input.
DWORD WINAPI WatchInput(void*) {
  char ignored;
  while (Read(&ignored, 1)) {
  }
  ExitProcess(0);
}

// The port of a new listener, or 0.
uint32_t Listen(Listener* listener, bool fast, int* error) {
  listener->socket = NewSocket(fast, error);
  sockaddr_in address = Loopback(0);
  int size = sizeof address;
  sockaddr* const name = reinterpret_cast<sockaddr*>(&address);
  if (*error != 0 || bind(listener->socket, name, size) != 0 ||
      listen(listener->socket, SOMAXCONN) != 0 ||
      getsockname(listener->socket, name, &size) != 0)
    return 0;
  CreateThread(nullptr, 0, AcceptAll, listener, 0, nullptr);
  return ntohs(address.sin_port);
}

int Serve() {
  const HANDLE port =
      CreateIoCompletionPort(INVALID_HANDLE_VALUE, nullptr, 0, 1);
  Listener plain{port, INVALID_SOCKET};
  Listener fast{port, INVALID_SOCKET};
  int ignored = 0;
  int error = 0;
  const uint32_t plain_port = Listen(&plain, false, &ignored);
  const uint32_t fast_port = Listen(&fast, true, &error);
  const uint32_t hello[] = {plain_port, fast_port,
                            static_cast<uint32_t>(error)};
  Print(hello, sizeof hello);
  CreateThread(nullptr, 0, WatchInput, nullptr, 0, nullptr);
  for (;;) {
    DWORD bytes = 0;
    ULONG_PTR key = 0;
    OVERLAPPED* operation = nullptr;
    const bool ok = GetQueuedCompletionStatus(port, &bytes, &key, &operation,
                                              INFINITE) != 0;
    Connection* const connection = reinterpret_cast<Connection*>(key);
    if (connection == nullptr) return 1;
    if (operation == nullptr)
      connection->Receive();
    else
      connection->OnCompletion(operation, bytes, ok);
    if (connection->IsOver()) delete connection;
  }
}

// ------------------------------------------------------------------ measure

// What the connections of a command have in common.
struct Run {
  const Command* command;
  uint64_t end;
  uint32_t samples;
  uint32_t running;
};

// exchange() and writeAll() of measure.ts.
class Measured final : public Connection {
 public:
  Measured(HANDLE port, SOCKET socket, Run* run)
      : Connection(port, socket), run_(run) {}

  void Start() {
    if (run_->command->kind == kRoundTrips) {
      Ask();
    } else {
      left_ = 1;
      WriteOn();
    }
    Receive();
  }

  bool IsBroken() const { return closed_ && !enough_; }

 private:
  void Ask() {
    left_ = run_->command->bytes;
    start_ = Now();
    Send(run_->command->bytes);
  }

  void WriteOn() {
    while (written_ < run_->command->amount) {
      written_ += 1;
      if (!Send(run_->command->bytes)) return;
    }
  }

  void OnSent() override {
    if (run_->command->kind != kRoundTrips) {
      WriteOn();
    } else if (is_due_) {
      is_due_ = false;
      Ask();
    }
  }

  void OnReceived(const char*, size_t size) override {
    left_ -= size;
    if (left_ > 0) return;
    if (run_->command->kind == kRoundTrips) {
      const uint64_t now = Now();
      if (run_->samples < kMostSamples) samples[run_->samples++] = now - start_;
      if (now < run_->end) {
        // The answer may be here before it is reported that the question went.
        is_due_ = IsSending();
        if (!is_due_) Ask();
        return;
      }
    }
    enough_ = true;
    run_->running -= 1;
  }

  Run* const run_;
  uint64_t left_ = 0;
  uint64_t start_ = 0;
  uint64_t written_ = 0;
  bool is_due_ = false;
};

// A connection whose other end knows what comes. INVALID_SOCKET and *error
// where that failed.
SOCKET Connect(const Command& command, int* error) {
  const SOCKET socket = NewSocket(command.fast != 0, error);
  if (*error != 0) return INVALID_SOCKET;
  NoDelay(socket);
  // So that closing resets it, and leaves no port in TIME_WAIT.
  const linger reset{1, 0};
  setsockopt(socket, SOL_SOCKET, SO_LINGER,
             reinterpret_cast<const char*>(&reset), sizeof reset);
  const sockaddr_in address = Loopback(command.port);
  const bool round_trips = command.kind == kRoundTrips;
  const Header header{
      round_trips ? command.bytes : command.bytes * command.amount,
      round_trips ? command.bytes : 1};
  char ready;
  if (connect(socket, reinterpret_cast<const sockaddr*>(&address),
              sizeof address) != 0 ||
      send(socket, reinterpret_cast<const char*>(&header), sizeof header, 0) !=
          sizeof header ||
      recv(socket, &ready, 1, 0) != 1) {
    *error = WSAGetLastError();
    if (*error == 0) *error = WSAECONNRESET;
    closesocket(socket);
    return INVALID_SOCKET;
  }
  return socket;
}

// 0, or the error.
int Execute(const Command& command, Run* run) {
  const HANDLE port =
      CreateIoCompletionPort(INVALID_HANDLE_VALUE, nullptr, 0, 1);
  Measured** const all = new Measured*[command.connections];
  for (uint32_t i = 0; i < command.connections; ++i) {
    int error = 0;
    const SOCKET socket = Connect(command, &error);
    if (error != 0) return error;
    all[i] = new Measured(port, socket, run);
  }
  const uint64_t start = Now();
  run->end = start + command.amount;
  for (uint32_t i = 0; i < command.connections; ++i) all[i]->Start();
  Connection* connection = nullptr;
  while (run->running > 0) {
    if (!RunOnce(port, kStandstillMs, &connection)) return WSAETIMEDOUT;
    if (static_cast<Measured*>(connection)->IsBroken()) return WSAECONNRESET;
  }
  if (command.kind != kRoundTrips) {
    samples[0] = Now() - start;
    run->samples = 1;
  }
  // The last sends may be reported yet.
  for (uint32_t i = 0; i < command.connections; ++i) {
    while (all[i]->IsPending()) {
      if (!RunOnce(port, kStandstillMs, &connection)) return WSAETIMEDOUT;
    }
    delete all[i];
  }
  delete[] all;
  CloseHandle(port);
  return 0;
}

int Measure() {
  Command command{};
  while (Read(&command, sizeof command)) {
    if (command.bytes == 0 || command.bytes > kLongestMessage) return 1;
    Run run{&command, 0, 0, command.connections};
    const int error = Execute(command, &run);
    const uint32_t head[] = {static_cast<uint32_t>(error),
                             error == 0 ? run.samples : 0};
    Print(head, sizeof head);
    // Nobody knows what is still under way.
    if (error != 0) return 1;
    Print(samples, run.samples * sizeof *samples);
  }
  return 0;
}

// The mode is the last word of the command line.
int Main() {
  // Ctrl-C goes to every process of the console; the one that prints decides.
  SetConsoleCtrlHandler(nullptr, TRUE);
  WSADATA data;
  if (WSAStartup(MAKEWORD(2, 2), &data) != 0) return 1;
  const wchar_t* last = GetCommandLineW();
  for (const wchar_t* at = last; *at != 0; ++at)
    if (*at == L' ' && at[1] != 0 && at[1] != L' ') last = at + 1;
  if (*last == L'"') ++last;
  return *last == L's' ? Serve() : *last == L'm' ? Measure() : 2;
}

}  // namespace

#ifdef _MSC_VER
int main() { return Main(); }
#else
// Without a C runtime there is nobody to call main().
extern "C" void Entry() { ExitProcess(static_cast<UINT>(Main())); }
#endif
