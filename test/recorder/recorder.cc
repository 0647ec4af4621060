// Test only: records what a process asks of Winsock and, where told to, answers
// in Windows' place. It redirects entries of the import tables of node.exe and
// of every loaded addon, so that node.exe and the shipped binary run unchanged,
// and wraps the ConnectEx and AcceptEx that Winsock hands out.
//
// Import tables belong to the process, so what is kept here is global, under a
// lock: workers call from threads of their own.

#include <napi.h>
#include <winsock2.h>
// After it:
#include <mswsock.h>
#include <psapi.h>
#include <ws2tcpip.h>

namespace {

constexpr DWORD kFastPath = 0x98000010;
constexpr DWORD kBaseHandle = 0x48000022;
constexpr DWORD kTcpInfo = 0xD8000027;
constexpr size_t kMaxRecords = 8192;
constexpr size_t kMaxAnswers = 64;

// ---------------------------------------------------------------- what is kept

enum class Call {
  kSocket,
  kBind,
  kListen,
  kConnect,
  kAccept,
  kIoctl,
  kSetsockopt,
  kGetsockopt,
  kClose,
  kCount,
};
constexpr const char* kCallNames[] = {
    "socket",   "bind",       "listen",     "ConnectEx",   "AcceptEx",
    "WSAIoctl", "setsockopt", "getsockopt", "closesocket",
};

struct Record {
  Call call;
  SOCKET socket;
  int error;                 // what the caller was told; 0 for success
  sockaddr_storage address;  // bind, ConnectEx
  DWORD code;                // WSAIoctl: control code; set/getsockopt: option
  DWORD value;  // WSAIoctl, setsockopt: the value; socket: family; listen:
                // backlog
  DWORD level;  // set/getsockopt
  DWORD input_size;
  DWORD output_size;
  bool has_output;
  bool has_bytes_returned;
  bool overlapped;
};

// What to answer: -1 asks Windows, 0 says success, anything else is the error.
struct Answers {
  int queue[kMaxAnswers] = {};
  size_t count = 0;
  int then = -1;
};

SRWLOCK lock = SRWLOCK_INIT;
Record records[kMaxRecords];
size_t record_count = 0;
size_t dropped = 0;
long open_sockets = 0;
bool recording = true;
Answers answers[static_cast<size_t>(Call::kCount)];
// Added to a SOCKET to make the number of a base provider's socket; 0: not
// layered; kSilentLayer: a provider that does not say.
SOCKET layer = 0;
constexpr SOCKET kSilentLayer = 0xffffffff;
// What SIO_TCP_INFO says of any SOCKET; nothing told: Windows is asked.
unsigned char tcp_info[256];
size_t tcp_info_size = 0;

class Locked final {
 public:
  Locked() { AcquireSRWLockExclusive(&lock); }
  ~Locked() { ReleaseSRWLockExclusive(&lock); }
  Locked(const Locked&) = delete;
  Locked& operator=(const Locked&) = delete;
};

int NextAnswer(Call call) {
  const Locked locked;
  Answers& list = answers[static_cast<size_t>(call)];
  if (list.count == 0) return list.then;
  const int answer = list.queue[0];
  for (size_t i = 1; i < list.count; ++i) list.queue[i - 1] = list.queue[i];
  list.count -= 1;
  return answer;
}

void Keep(const Record& record) {
  const Locked locked;
  if (record.error == 0) {
    if (record.call == Call::kSocket) open_sockets += 1;
    if (record.call == Call::kClose) open_sockets -= 1;
  }
  if (!recording) return;
  if (record_count == kMaxRecords) {
    dropped += 1;
    return;
  }
  records[record_count++] = record;
}

Record NewRecord(Call call, SOCKET socket) {
  Record record{};
  record.call = call;
  record.socket = socket;
  return record;
}

void CopyAddress(Record* record, const sockaddr* address, int size) {
  if (address == nullptr || size <= 0) return;
  unsigned char* to = reinterpret_cast<unsigned char*>(&record->address);
  const unsigned char* from = reinterpret_cast<const unsigned char*>(address);
  for (int i = 0; i < size && i < static_cast<int>(sizeof record->address); ++i)
    to[i] = from[i];
}

DWORD ReadDword(const void* from, size_t size) {
  DWORD value = 0;
  for (size_t i = 0; i < size && i < sizeof value; ++i)
    value |= static_cast<DWORD>(static_cast<const unsigned char*>(from)[i])
             << (8 * i);
  return value;
}

// Records a call and answers it: `ask` is the call itself.
template <typename Ask>
int Answer(Record record, Ask ask) {
  const int scripted = NextAnswer(record.call);
  int result;
  int error = 0;
  if (scripted < 0) {
    result = ask();
    if (result != 0) error = WSAGetLastError();
  } else {
    error = scripted;
    result = scripted == 0 ? 0 : SOCKET_ERROR;
  }
  record.error = error;
  Keep(record);
  if (error != 0) WSASetLastError(error);
  return result;
}

// -------------------------------------------------------- what stands in their
// place

LPFN_CONNECTEX real_connect_ex = nullptr;
LPFN_ACCEPTEX real_accept_ex = nullptr;

BOOL PASCAL RecordedConnectEx(SOCKET socket, const sockaddr* name, int size,
                              PVOID buffer, DWORD length, LPDWORD sent,
                              LPOVERLAPPED overlapped) {
  Record record = NewRecord(Call::kConnect, socket);
  CopyAddress(&record, name, size);
  // A success cannot be made up: somebody has to complete it.
  const int scripted = NextAnswer(Call::kConnect);
  const BOOL ok = scripted <= 0 && real_connect_ex(socket, name, size, buffer,
                                                   length, sent, overlapped);
  const int error = ok ? 0 : scripted > 0 ? scripted : WSAGetLastError();
  record.error = error == WSA_IO_PENDING ? 0 : error;
  Keep(record);
  WSASetLastError(error);
  return ok;
}

BOOL PASCAL RecordedAcceptEx(SOCKET listener, SOCKET accepted, PVOID buffer,
                             DWORD a, DWORD b, DWORD c, LPDWORD received,
                             LPOVERLAPPED overlapped) {
  Record record = NewRecord(Call::kAccept, listener);
  const BOOL ok =
      real_accept_ex(listener, accepted, buffer, a, b, c, received, overlapped);
  const int error = ok ? 0 : WSAGetLastError();
  record.error = error == WSA_IO_PENDING ? 0 : error;
  Keep(record);
  WSASetLastError(error);
  return ok;
}

bool IsGuid(const void* buffer, DWORD size, const GUID& guid) {
  if (size != sizeof guid) return false;
  const unsigned char* a = static_cast<const unsigned char*>(buffer);
  const unsigned char* b = reinterpret_cast<const unsigned char*>(&guid);
  for (size_t i = 0; i < sizeof guid; ++i)
    if (a[i] != b[i]) return false;
  return true;
}

int WSAAPI RecordedIoctl(SOCKET socket, DWORD code, LPVOID in, DWORD in_size,
                         LPVOID out, DWORD out_size, LPDWORD bytes,
                         LPWSAOVERLAPPED overlapped,
                         LPWSAOVERLAPPED_COMPLETION_ROUTINE routine) {
  const auto ask = [&] {
    return WSAIoctl(socket, code, in, in_size, out, out_size, bytes, overlapped,
                    routine);
  };
  Record record = NewRecord(Call::kIoctl, socket);
  record.code = code;
  record.value = in == nullptr ? 0 : ReadDword(in, in_size);
  record.input_size = in_size;
  record.output_size = out_size;
  record.has_output = out != nullptr;
  record.has_bytes_returned = bytes != nullptr;
  record.overlapped = overlapped != nullptr || routine != nullptr;
  if (code == kFastPath) return Answer(record, ask);
  if (code == kTcpInfo && tcp_info_size > 0) {
    *bytes =
        static_cast<DWORD>(tcp_info_size < out_size ? tcp_info_size : out_size);
    CopyMemory(out, tcp_info, *bytes);
    Keep(record);
    return 0;
  }
  if (code == kBaseHandle && layer == kSilentLayer) {
    record.error = WSAEFAULT;
    Keep(record);
    WSASetLastError(WSAEFAULT);
    return SOCKET_ERROR;
  }
  if (code == kBaseHandle && layer != 0 && out_size == sizeof(SOCKET)) {
    const SOCKET base = socket + layer;
    CopyMemory(out, &base, sizeof base);
    *bytes = sizeof base;
    Keep(record);
    return 0;
  }

  const int result = ask();
  const int error = result == 0 ? 0 : WSAGetLastError();
  if (result == 0 && code == SIO_GET_EXTENSION_FUNCTION_POINTER) {
    const GUID connect_ex = WSAID_CONNECTEX;
    const GUID accept_ex = WSAID_ACCEPTEX;
    if (IsGuid(in, in_size, connect_ex)) {
      const LPFN_CONNECTEX mine = RecordedConnectEx;
      CopyMemory(&real_connect_ex, out, sizeof real_connect_ex);
      CopyMemory(out, &mine, sizeof mine);
    } else if (IsGuid(in, in_size, accept_ex)) {
      const LPFN_ACCEPTEX mine = RecordedAcceptEx;
      CopyMemory(&real_accept_ex, out, sizeof real_accept_ex);
      CopyMemory(out, &mine, sizeof mine);
    }
  }
  record.error = error;
  Keep(record);
  WSASetLastError(error);
  return result;
}

int WSAAPI RecordedBind(SOCKET socket, const sockaddr* name, int size) {
  Record record = NewRecord(Call::kBind, socket);
  CopyAddress(&record, name, size);
  return Answer(record, [&] { return bind(socket, name, size); });
}

int WSAAPI RecordedListen(SOCKET socket, int backlog) {
  Record record = NewRecord(Call::kListen, socket);
  record.value = static_cast<DWORD>(backlog);
  return Answer(record, [&] { return listen(socket, backlog); });
}

int WSAAPI RecordedClose(SOCKET socket) {
  return Answer(NewRecord(Call::kClose, socket),
                [&] { return closesocket(socket); });
}

int WSAAPI RecordedSetsockopt(SOCKET socket, int level, int option,
                              const char* value, int size) {
  Record record = NewRecord(Call::kSetsockopt, socket);
  record.level = static_cast<DWORD>(level);
  record.code = static_cast<DWORD>(option);
  record.value =
      value == nullptr ? 0 : ReadDword(value, static_cast<size_t>(size));
  return Answer(record,
                [&] { return setsockopt(socket, level, option, value, size); });
}

int WSAAPI RecordedGetsockopt(SOCKET socket, int level, int option, char* value,
                              int* size) {
  Record record = NewRecord(Call::kGetsockopt, socket);
  record.level = static_cast<DWORD>(level);
  record.code = static_cast<DWORD>(option);
  return Answer(record,
                [&] { return getsockopt(socket, level, option, value, size); });
}

template <typename Ask>
SOCKET AnswerSocket(int family, int type, Ask ask) {
  const int scripted = NextAnswer(Call::kSocket);
  SOCKET made = INVALID_SOCKET;
  int error = scripted;
  if (scripted <= 0) {
    made = ask();
    error = made == INVALID_SOCKET ? WSAGetLastError() : 0;
  }
  Record record = NewRecord(Call::kSocket, made);
  record.value = static_cast<DWORD>(family);
  record.code = static_cast<DWORD>(type);
  record.error = error;
  Keep(record);
  if (error != 0) WSASetLastError(error);
  return made;
}

SOCKET WSAAPI RecordedSocket(int family, int type, int protocol) {
  return AnswerSocket(family, type,
                      [&] { return socket(family, type, protocol); });
}

SOCKET WSAAPI RecordedWsaSocket(int family, int type, int protocol,
                                LPWSAPROTOCOL_INFOW info, GROUP group,
                                DWORD flags) {
  return AnswerSocket(family, type, [&] {
    return WSASocketW(family, type, protocol, info, group, flags);
  });
}

// A function that the host shall seem not to export; none while empty.
char hidden[64] = "";

bool IsSameText(const char* a, const char* b) {
  while (*a != 0 && *a == *b) ++a, ++b;
  return *a == *b;
}

FARPROC WINAPI RecordedGetProcAddress(HMODULE module, LPCSTR name) {
  const Locked locked;
  // A small number stands for an ordinal.
  if (hidden[0] != 0 && reinterpret_cast<size_t>(name) > 0xffff &&
      IsSameText(name, hidden)) {
    SetLastError(ERROR_PROC_NOT_FOUND);
    return nullptr;
  }
  return GetProcAddress(module, name);
}

// ----------------------------------------------------------- import tables

struct Redirect {
  HMODULE dll;
  const char* name;
  const void* to;
};

template <typename Function>
const void* Address(Function* function) {
  return reinterpret_cast<const void*>(function);
}

// Many imports of WS2_32 are by number, so the addresses are compared.
size_t RedirectImports(unsigned char* module) {
  const HMODULE winsock = GetModuleHandleW(L"ws2_32.dll");
  const HMODULE kernel = GetModuleHandleW(L"kernel32.dll");
  const Redirect redirects[] = {
      {winsock, "WSAIoctl", Address(&RecordedIoctl)},
      {winsock, "bind", Address(&RecordedBind)},
      {winsock, "listen", Address(&RecordedListen)},
      {winsock, "closesocket", Address(&RecordedClose)},
      {winsock, "setsockopt", Address(&RecordedSetsockopt)},
      {winsock, "getsockopt", Address(&RecordedGetsockopt)},
      {winsock, "socket", Address(&RecordedSocket)},
      {winsock, "WSASocketW", Address(&RecordedWsaSocket)},
      {kernel, "GetProcAddress", Address(&RecordedGetProcAddress)},
  };
  const auto* dos = reinterpret_cast<const IMAGE_DOS_HEADER*>(module);
  const auto* nt =
      reinterpret_cast<const IMAGE_NT_HEADERS*>(module + dos->e_lfanew);
  const IMAGE_DATA_DIRECTORY& directory =
      nt->OptionalHeader.DataDirectory[IMAGE_DIRECTORY_ENTRY_IMPORT];
  if (directory.VirtualAddress == 0) return 0;
  size_t redirected = 0;
  for (const auto* dll = reinterpret_cast<const IMAGE_IMPORT_DESCRIPTOR*>(
           module + directory.VirtualAddress);
       dll->Name != 0; ++dll) {
    for (void** slot = reinterpret_cast<void**>(module + dll->FirstThunk);
         *slot != nullptr; ++slot) {
      for (const Redirect& redirect : redirects) {
        if (*slot != reinterpret_cast<const void*>(
                         GetProcAddress(redirect.dll, redirect.name)))
          continue;
        DWORD protection = 0;
        VirtualProtect(slot, sizeof *slot, PAGE_READWRITE, &protection);
        *slot = const_cast<void*>(redirect.to);
        VirtualProtect(slot, sizeof *slot, protection, &protection);
        redirected += 1;
        break;
      }
    }
  }
  return redirected;
}

bool EndsWith(const wchar_t* text, size_t length, const wchar_t* end) {
  size_t size = 0;
  while (end[size] != 0) ++size;
  if (size > length) return false;
  for (size_t i = 0; i < size; ++i)
    if (text[length - size + i] != end[i]) return false;
  return true;
}

// ------------------------------------------------------------------ JavaScript

void Set(Napi::Object object, const char* name, Napi::Value value) {
  object.Set(name, value).Check();
}

// install(): number. Redirects the program and every addon loaded by now;
// returns how many entries were redirected.
Napi::Value Install(const Napi::CallbackInfo& info) {
  HMODULE self = nullptr;
  GetModuleHandleExW(GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS |
                         GET_MODULE_HANDLE_EX_FLAG_UNCHANGED_REFCOUNT,
                     reinterpret_cast<LPCWSTR>(&records), &self);
  static HMODULE modules[512];
  DWORD bytes = 0;
  size_t redirected = 0;
  const Locked locked;
  if (!K32EnumProcessModules(GetCurrentProcess(), modules, sizeof modules,
                             &bytes))
    bytes = 0;
  for (size_t i = 0; i < bytes / sizeof *modules; ++i) {
    wchar_t path[MAX_PATH];
    const size_t length = GetModuleFileNameW(modules[i], path, MAX_PATH);
    const bool is_program = modules[i] == GetModuleHandleW(nullptr);
    if (modules[i] == self ||
        (!is_program && !EndsWith(path, length, L".node")))
      continue;
    redirected += RedirectImports(reinterpret_cast<unsigned char*>(modules[i]));
  }
  return Napi::Number::New(info.Env(), static_cast<double>(redirected));
}

Napi::Value ToValue(Napi::Env env, const Record& record) {
  Napi::Object object = Napi::Object::New(env);
  Set(object, "call",
      Napi::String::New(env, kCallNames[static_cast<size_t>(record.call)]));
  Set(object, "socket",
      Napi::Number::New(env, static_cast<double>(record.socket)));
  Set(object, "error", Napi::Number::New(env, record.error));
  if (record.address.ss_family != 0) {
    char text[INET6_ADDRSTRLEN] = "";
    const bool ipv6 = record.address.ss_family == AF_INET6;
    const auto* ip4 = reinterpret_cast<const sockaddr_in*>(&record.address);
    const auto* ip6 = reinterpret_cast<const sockaddr_in6*>(&record.address);
    inet_ntop(record.address.ss_family,
              ipv6 ? static_cast<const void*>(&ip6->sin6_addr)
                   : static_cast<const void*>(&ip4->sin_addr),
              text, sizeof text);
    Set(object, "family", Napi::Number::New(env, ipv6 ? 6 : 4));
    Set(object, "address", Napi::String::New(env, text));
    Set(object, "port",
        Napi::Number::New(env, ntohs(ipv6 ? ip6->sin6_port : ip4->sin_port)));
  }
  if (record.call == Call::kSetsockopt || record.call == Call::kGetsockopt)
    Set(object, "level", Napi::Number::New(env, record.level));
  Set(object, "code", Napi::Number::New(env, record.code));
  Set(object, "value", Napi::Number::New(env, record.value));
  if (record.call == Call::kIoctl) {
    Set(object, "inputSize", Napi::Number::New(env, record.input_size));
    Set(object, "outputSize", Napi::Number::New(env, record.output_size));
    Set(object, "hasOutput", Napi::Boolean::New(env, record.has_output));
    Set(object, "hasBytesReturned",
        Napi::Boolean::New(env, record.has_bytes_returned));
    Set(object, "overlapped", Napi::Boolean::New(env, record.overlapped));
  }
  return object;
}

// take(): Call[]. What was recorded since the last time.
Napi::Value Take(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Napi::Array list = Napi::Array::New(env);
  const Locked locked;
  for (size_t i = 0; i < record_count; ++i)
    list.Set(static_cast<uint32_t>(i), ToValue(env, records[i])).Check();
  Set(list, "dropped", Napi::Number::New(env, static_cast<double>(dropped)));
  record_count = 0;
  dropped = 0;
  return list;
}

// answer(call: string, queue: number[], then: number): boolean
Napi::Value SetAnswers(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const size_t index = info[0].As<Napi::Number>().Uint32Value();
  if (index >= static_cast<size_t>(Call::kCount))
    return Napi::Boolean::New(env, false);
  const Napi::Array queue = info[1].As<Napi::Array>();
  Answers list{};
  for (uint32_t i = 0; i < queue.Length() && i < kMaxAnswers; ++i)
    list.queue[list.count++] =
        queue.Get(i).Unwrap().As<Napi::Number>().Int32Value();
  list.then = info[2].As<Napi::Number>().Int32Value();
  const Locked locked;
  answers[index] = list;
  return Napi::Boolean::New(env, true);
}

// hide(name: string): a function of the host, from addons that ask for it.
Napi::Value Hide(const Napi::CallbackInfo& info) {
  size_t length = 0;
  const Locked locked;
  napi_get_value_string_utf8(info.Env(), info[0], hidden, sizeof hidden,
                             &length);
  return info.Env().Undefined();
}

// setLayer(offset: number): as if a layered provider were in between.
Napi::Value SetLayer(const Napi::CallbackInfo& info) {
  const Locked locked;
  layer = info[0].As<Napi::Number>().Uint32Value();
  return info.Env().Undefined();
}

// setTcpInfo(bytes: Buffer): what SIO_TCP_INFO shall say; of no bytes: asks
// Windows.
Napi::Value SetTcpInfo(const Napi::CallbackInfo& info) {
  const Napi::Buffer<unsigned char> bytes =
      info[0].As<Napi::Buffer<unsigned char>>();
  const Locked locked;
  tcp_info_size =
      bytes.Length() < sizeof tcp_info ? bytes.Length() : sizeof tcp_info;
  CopyMemory(tcp_info, bytes.Data(), tcp_info_size);
  return info.Env().Undefined();
}

// setRecording(on: boolean): for long runs that only count sockets.
Napi::Value SetRecording(const Napi::CallbackInfo& info) {
  const Locked locked;
  recording = info[0].As<Napi::Boolean>().Value();
  return info.Env().Undefined();
}

// pressCtrlC(): boolean. Of nobody's sockets, but there is no other way to do
// it: for every process of this console, this one included.
Napi::Value PressCtrlC(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(),
                            GenerateConsoleCtrlEvent(CTRL_C_EVENT, 0) != 0);
}

// openSockets(): number. Sockets made less sockets closed since install().
Napi::Value OpenSockets(const Napi::CallbackInfo& info) {
  const Locked locked;
  return Napi::Number::New(info.Env(), static_cast<double>(open_sockets));
}

Napi::Object Init(Napi::Env env, Napi::Object exports) {
  Napi::Array calls = Napi::Array::New(env);
  for (uint32_t i = 0; i < static_cast<uint32_t>(Call::kCount); ++i)
    calls.Set(i, Napi::String::New(env, kCallNames[i])).Check();
  Set(exports, "calls", calls);
  Set(exports, "install", Napi::Function::New<Install>(env, "install"));
  Set(exports, "take", Napi::Function::New<Take>(env, "take"));
  Set(exports, "setAnswers",
      Napi::Function::New<SetAnswers>(env, "setAnswers"));
  Set(exports, "hide", Napi::Function::New<Hide>(env, "hide"));
  Set(exports, "setLayer", Napi::Function::New<SetLayer>(env, "setLayer"));
  Set(exports, "setTcpInfo",
      Napi::Function::New<SetTcpInfo>(env, "setTcpInfo"));
  Set(exports, "setRecording",
      Napi::Function::New<SetRecording>(env, "setRecording"));
  Set(exports, "pressCtrlC",
      Napi::Function::New<PressCtrlC>(env, "pressCtrlC"));
  Set(exports, "openSockets",
      Napi::Function::New<OpenSockets>(env, "openSockets"));
  return exports;
}

}  // namespace

NODE_API_MODULE(winsock_recorder, Init)
