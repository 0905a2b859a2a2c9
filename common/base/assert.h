// SPDX-License-Identifier: MIT
// Assertions that stay on in release: for what only a bug of ours can break, never for input,
// peers or disks.
#pragma once

namespace aisfs {

/// Prints where and what, then aborts.
[[noreturn]] void assert_failed(const char* expression, const char* file, int line);

}  // namespace aisfs

#define AISFS_ASSERT(expr) \
  ((expr) ? static_cast<void>(0) : ::aisfs::assert_failed(#expr, __FILE__, __LINE__))
