// Test only: asks for the fast path on every kind of SOCKET, in every way, and
// prints a line "what: answer" for each; then what Wine's own Winsock exports
// and the one that is asked does not, by name or number.
// test/package/accepting-wine.test.ts knows what the lines must be.

#include <winsock2.h>
// After it:
#include <ws2tcpip.h>

namespace {

constexpr DWORD kFastPath = 0x98000010;

void Print(const char* text) {
  DWORD size = 0;
  while (text[size] != 0) ++size;
  DWORD written = 0;
  WriteFile(GetStdHandle(STD_OUTPUT_HANDLE), text, size, &written, nullptr);
}

void PrintAnswer(const char* what, int error) {
  char number[] = "00000";
  for (size_t i = 5; i > 0; error /= 10)
    number[--i] = static_cast<char>('0' + error % 10);
  Print(what);
  Print(": ");
  Print(number);
  Print("\n");
}

int Ask(SOCKET socket, BOOL on) {
  DWORD bytes = 0;
  return WSAIoctl(socket, kFastPath, &on, sizeof on, nullptr, 0, &bytes,
                  nullptr, nullptr) == 0
             ? 0
             : WSAGetLastError();
}

// Each argument wrong once.
void AskWrongly(SOCKET socket) {
  BOOL on = TRUE;
  DWORD bytes = 0;
  char out[4];
  const auto ask = [&](const char* what, void* in, DWORD in_size, void* to,
                       DWORD to_size, DWORD* count) {
    const int result = WSAIoctl(socket, kFastPath, in, in_size, to, to_size,
                                count, nullptr, nullptr);
    PrintAnswer(what, result == 0 ? 0 : WSAGetLastError());
  };
  ask("no count", &on, sizeof on, nullptr, 0, nullptr);
  ask("no input", nullptr, 0, nullptr, 0, &bytes);
  ask("an output", &on, sizeof on, out, sizeof out, &bytes);
}

SOCKET NewSocket(int family, int type, int protocol) {
  return WSASocketW(family, type, protocol, nullptr, 0, WSA_FLAG_OVERLAPPED);
}

// The exports of winews2.dll that GetProcAddress does not find in ws2_32.dll,
// or finds under another number. WSAIoctl alone is another function.
int MissingExports() {
  const HMODULE own = GetModuleHandleW(L"winews2.dll");
  const HMODULE winsock = GetModuleHandleW(L"ws2_32.dll");
  if (own == nullptr || winsock == nullptr) return -1;
  const auto* const base = reinterpret_cast<const unsigned char*>(own);
  const auto* const nt = reinterpret_cast<const IMAGE_NT_HEADERS*>(
      base + reinterpret_cast<const IMAGE_DOS_HEADER*>(base)->e_lfanew);
  const auto* const exports = reinterpret_cast<const IMAGE_EXPORT_DIRECTORY*>(
      base + nt->OptionalHeader.DataDirectory[IMAGE_DIRECTORY_ENTRY_EXPORT]
                 .VirtualAddress);
  const auto* const names =
      reinterpret_cast<const DWORD*>(base + exports->AddressOfNames);
  const auto* const ordinals =
      reinterpret_cast<const WORD*>(base + exports->AddressOfNameOrdinals);
  int missing = exports->NumberOfNames == 0 ? -1 : 0;
  int others = 0;
  for (DWORD i = 0; i < exports->NumberOfNames; ++i) {
    const auto* const name = reinterpret_cast<const char*>(base + names[i]);
    const auto number = MAKEINTRESOURCEA(exports->Base + ordinals[i]);
    const FARPROC found = GetProcAddress(winsock, name);
    if (found == nullptr || found != GetProcAddress(winsock, number))
      missing += 1;
    else if (found != GetProcAddress(own, name))
      others += 1;
  }
  return others == 1 ? missing : -1;
}

void Main() {
  WSADATA data;
  if (WSAStartup(MAKEWORD(2, 2), &data) != 0) ExitProcess(1);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = 0x0100007f;  // 127.0.0.1
  int size = sizeof address;
  auto* const name = reinterpret_cast<sockaddr*>(&address);

  const SOCKET listener = NewSocket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
  PrintAnswer("new, on", Ask(listener, TRUE));
  PrintAnswer("new, off", Ask(listener, FALSE));
  bind(listener, name, size);
  getsockname(listener, name, &size);
  PrintAnswer("bound", Ask(listener, TRUE));
  listen(listener, 1);
  PrintAnswer("listening", Ask(listener, TRUE));

  const SOCKET client = NewSocket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
  if (connect(client, name, size) != 0) ExitProcess(1);
  const SOCKET accepted = accept(listener, nullptr, nullptr);
  PrintAnswer("connected, on", Ask(client, TRUE));
  PrintAnswer("connected, off", Ask(client, FALSE));
  PrintAnswer("accepted", Ask(accepted, TRUE));

  const SOCKET fresh = NewSocket(AF_INET6, SOCK_STREAM, IPPROTO_TCP);
  PrintAnswer("IPv6", Ask(fresh, TRUE));
  AskWrongly(fresh);
  PrintAnswer("UDP", Ask(NewSocket(AF_INET, SOCK_DGRAM, IPPROTO_UDP), TRUE));
  closesocket(client);
  PrintAnswer("closed", Ask(client, TRUE));
  // A number that was a connection's is nothing special when it comes again.
  const SOCKET again = NewSocket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
  PrintAnswer(again == client ? "its number again" : "another number",
              Ask(again, TRUE));
  const int missing = MissingExports();
  PrintAnswer("exports that are missing", missing < 0 ? 99999 : missing);
  ExitProcess(0);
}

}  // namespace

extern "C" void Entry() { Main(); }
