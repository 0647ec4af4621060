// Test only: the ws2_32.dll of a Wine that stands in for a Windows with the
// fast path. ws2_32.def forwards every other export to Wine's own, which is
// called winews2.dll beside it (test/winsock/accepting-wine.js).
//
// SIO_LOOPBACK_FAST_PATH is answered here as the statements of docs/platform.md
// have it, from what the SOCKET is at that moment. Nothing is kept of one, so
// that numbers that come again and SOCKETs that were inherited need no care.
//
// With LOOPBACK_TEST_WINSOCK_LOG every answer is a line of JSON in that file.

#include <winsock2.h>
// After it:
#include <ws2tcpip.h>

#include <cstdint>

namespace {

constexpr DWORD kFastPath = 0x98000010;
constexpr wchar_t kLogVariable[] = L"LOOPBACK_TEST_WINSOCK_LOG";
constexpr wchar_t kLogMutex[] = L"loopback-fast-path-winsock-log";

// ------------------------------------------------------------------ the answer

int Answer(SOCKET socket, const void* in, DWORD in_size, DWORD out_size,
           DWORD* bytes) {
  // R6, E4.
  if (bytes == nullptr) return WSAEFAULT;
  WSAPROTOCOL_INFOW protocol;
  int size = sizeof protocol;
  if (getsockopt(socket, SOL_SOCKET, SO_PROTOCOL_INFOW,
                 reinterpret_cast<char*>(&protocol), &size) != 0)
    return WSAGetLastError();
  // R2, E10.
  if (protocol.iProtocol != IPPROTO_TCP) return WSAEOPNOTSUPP;
  // R3 to R5, E7.
  if (in == nullptr || in_size == 0 || out_size != 0) return WSAEINVAL;
  // B3, E7. A listener is at no end of a connection, and passes (B4).
  sockaddr_storage peer;
  size = sizeof peer;
  if (getpeername(socket, reinterpret_cast<sockaddr*>(&peer), &size) == 0)
    return WSAEINVAL;
  *bytes = 0;
  return 0;
}

// --------------------------------------------------------------------- the log

class Line final {
 public:
  Line& operator<<(const char* text) {
    while (*text != 0) Add(*text++);
    return *this;
  }
  // What would need an escape in JSON is left out.
  Line& operator<<(const wchar_t* text) {
    for (; *text != 0; ++text)
      if (*text >= L' ' && *text < 0x7f && *text != L'"' && *text != L'\\')
        Add(static_cast<char>(*text));
    return *this;
  }
  Line& operator<<(uint64_t number) {
    char digits[20];
    size_t count = 0;
    do {
      digits[count++] = static_cast<char>('0' + number % 10);
      number /= 10;
    } while (number > 0);
    while (count > 0) Add(digits[--count]);
    return *this;
  }
  const char* text() const { return text_; }
  DWORD size() const { return size_; }

 private:
  void Add(char character) {
    if (size_ < sizeof text_) text_[size_++] = character;
  }
  char text_[512];
  DWORD size_ = 0;
};

// Milliseconds since 1970, as Date.now() counts.
uint64_t Now() {
  FILETIME time;
  GetSystemTimeAsFileTime(&time);
  const uint64_t since_1601 =
      static_cast<uint64_t>(time.dwHighDateTime) << 32 | time.dwLowDateTime;
  return since_1601 / 10000 - 11644473600000;
}

// One line at a time, whichever process writes it.
void Append(const wchar_t* path, const Line& line) {
  const HANDLE mutex = CreateMutexW(nullptr, FALSE, kLogMutex);
  WaitForSingleObject(mutex, INFINITE);
  const HANDLE file =
      CreateFileW(path, FILE_APPEND_DATA, FILE_SHARE_READ | FILE_SHARE_WRITE,
                  nullptr, OPEN_ALWAYS, FILE_ATTRIBUTE_NORMAL, nullptr);
  if (file != INVALID_HANDLE_VALUE) {
    DWORD written = 0;
    WriteFile(file, line.text(), line.size(), &written, nullptr);
    CloseHandle(file);
  }
  ReleaseMutex(mutex);
  CloseHandle(mutex);
}

void Log(SOCKET socket, bool on, int error) {
  wchar_t path[MAX_PATH];
  const DWORD length = GetEnvironmentVariableW(kLogVariable, path, MAX_PATH);
  if (length == 0 || length >= MAX_PATH) return;
  wchar_t program[MAX_PATH] = L"";
  GetModuleFileNameW(nullptr, program, MAX_PATH);
  const wchar_t* name = program;
  for (const wchar_t* at = program; *at != 0; ++at)
    if (*at == L'\\') name = at + 1;
  Line line;
  line << "{\"time\":" << Now() << ",\"program\":\"" << name
       << "\",\"process\":" << uint64_t{GetCurrentProcessId()}
       << ",\"socket\":" << uint64_t{socket}
       << ",\"on\":" << (on ? "true" : "false")
       << ",\"error\":" << static_cast<uint64_t>(error) << "}\n";
  Append(path, line);
}

bool IsTrue(const void* value, DWORD size) {
  const char* bytes = static_cast<const char*>(value);
  for (DWORD i = 0; bytes != nullptr && i < size; ++i)
    if (bytes[i] != 0) return true;
  return false;
}

}  // namespace

// Exported as WSAIoctl. An overlapped request for the fast path goes to Wine,
// which refuses it: nothing here would complete it.
extern "C" int WSAAPI
AcceptingIoctl(SOCKET socket, DWORD code, LPVOID in, DWORD in_size, LPVOID out,
               DWORD out_size, LPDWORD bytes, LPWSAOVERLAPPED overlapped,
               LPWSAOVERLAPPED_COMPLETION_ROUTINE routine) {
  if (code != kFastPath || overlapped != nullptr || routine != nullptr)
    return WSAIoctl(socket, code, in, in_size, out, out_size, bytes, overlapped,
                    routine);
  const int error = Answer(socket, in, in_size, out_size, bytes);
  Log(socket, IsTrue(in, in_size), error);
  WSASetLastError(error);
  return error == 0 ? 0 : SOCKET_ERROR;
}
