// Control Flow Guard without a C runtime: the load configuration that tells
// Windows where the checks are, and what they do until Windows puts its own in
// (on a system without it, nothing). lld fills in the table of functions that
// may be called through a pointer.

// A 32-bit symbol has an underscore more in assembly.
#if defined(__i386__)
#define SYMBOL(name) "_" #name
#define POINTER ".long "
#define SIZE "0x78"
#define TO_GUARD ".zero 0x44\n"
#else
#define SYMBOL(name) #name
#define POINTER ".quad "
#define SIZE "0xc0"
#define TO_GUARD ".zero 0x6c\n"
#endif

extern "C" {

// The target is in a register of its own, and the arguments in theirs.
#if defined(__x86_64__)
__attribute__((naked)) void CheckNothing() { asm("ret"); }
__attribute__((naked)) void DispatchUnchecked() { asm("jmp *%rax"); }
#elif defined(__aarch64__)
__attribute__((naked)) void CheckNothing() { asm("ret"); }
__attribute__((naked)) void DispatchUnchecked() { asm("br x9"); }
#else
__attribute__((naked)) void CheckNothing() { asm("ret"); }
__attribute__((naked)) void DispatchUnchecked() { asm("ret"); }
#endif

// Windows writes to these before anything runs, so they can be read-only.
// Declared first: a constant without that would stay in this file.
extern void (*const __guard_check_icall_fptr)();
extern void (*const __guard_dispatch_icall_fptr)();
#define IN_GUARD_SECTION __attribute__((section(".00cfg"), used))
IN_GUARD_SECTION void (*const __guard_check_icall_fptr)() = CheckNothing;
IN_GUARD_SECTION void (*const __guard_dispatch_icall_fptr)() =
    DispatchUnchecked;

}  // extern "C"

// IMAGE_LOAD_CONFIG_DIRECTORY up to
// GuardLongJumpTargetCount. In assembly, because C++ has no
// 32-bit constant whose value is a symbol's.
asm(".section .rdata,\"dr\"\n"
    ".p2align 3\n"
    ".globl " SYMBOL(_load_config_used) "\n"
    SYMBOL(_load_config_used) ":\n"
    ".long " SIZE "\n"
    TO_GUARD
    POINTER SYMBOL(__guard_check_icall_fptr) "\n"
    POINTER SYMBOL(__guard_dispatch_icall_fptr) "\n"
    POINTER SYMBOL(__guard_fids_table) "\n"
    POINTER SYMBOL(__guard_fids_count) "\n"
    ".long " SYMBOL(__guard_flags) "\n"
    ".zero 12\n"
    POINTER SYMBOL(__guard_iat_table) "\n"
    POINTER SYMBOL(__guard_iat_count) "\n"
    POINTER SYMBOL(__guard_longjmp_table) "\n"
    POINTER SYMBOL(__guard_longjmp_count) "\n"
    ".text\n");
