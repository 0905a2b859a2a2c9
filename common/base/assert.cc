// SPDX-License-Identifier: MIT
#include "common/base/assert.h"

#include <cstdio>
#include <cstdlib>

namespace aisfs {

void assert_failed(const char* expression, const char* file, int line) {
  std::fprintf(stderr, "%s:%d: assertion failed: %s\n", file, line, expression);
  std::abort();
}

}  // namespace aisfs
