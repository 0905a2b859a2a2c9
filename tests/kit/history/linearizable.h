// SPDX-License-Identifier: MIT
#pragma once
#include <cstddef>
#include <span>

#include "tests/kit/history/operation.h"
#include "tests/kit/history/report.h"

namespace aisfs::tests::history {

struct LinearizableOptions {
  /// Sets of operations tried for a key before it is called undecided. The search remembers each:
  /// a million of them for 300 operations are about 150 MB and two seconds.
  std::size_t tried_max = 1'000'000;
};

/// Whether each key alone is a linearizable register: some order of its operations that keeps
/// "returned before the other began" makes every reply the right one. PUT, DELETE, GET, HEAD, PUT
/// if the value matches, PUT if absent; LISTs are ignored. A key is absent before its first
/// operation. Unknown operations may take effect at any time after their invocation, or never.
///
/// The excerpt shows the longest order found: its last operations, the state after them and those
/// that had to come next, the first of which could not wait for any other.
Report check_linearizable(std::span<const Operation> operations, LinearizableOptions options = {});

}  // namespace aisfs::tests::history
