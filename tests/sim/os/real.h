// SPDX-License-Identifier: MIT
// The C library's own calls, behind those that the simulation puts in their place.
#pragma once
#include <dlfcn.h>

namespace aisfs::tests::sim {

/// The next definition of a symbol after this program's own.
template <class F>
F real_call(const char* name) {
  return reinterpret_cast<F>(::dlsym(RTLD_NEXT, name));
}

/// Past every wrapper; -errno on failure.
inline long raw_syscall(
    long number, long a = 0, long b = 0, long c = 0, long d = 0, long e = 0, long f = 0) {
  long result = 0;
  register long r10 asm("r10") = d;
  register long r8 asm("r8") = e;
  register long r9 asm("r9") = f;
  asm volatile("syscall"
               : "=a"(result)
               : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
               : "rcx", "r11", "memory");
  return result;
}

}  // namespace aisfs::tests::sim

/// Declares `name` of C linkage as a definition of the C function `symbol`, whatever the headers
/// say of its exceptions.
#define AISFS_SIM_CALL(result, symbol, name, ...)       \
  extern "C" result name(__VA_ARGS__) __asm__(#symbol); \
  extern "C" result name(__VA_ARGS__)
