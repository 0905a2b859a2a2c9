// SPDX-License-Identifier: MIT
#include "tests/kit/history/repeats.h"

#include "tests/kit/history/linearizable.h"

namespace aisfs::tests::history {
namespace {

// Each is a search of its own.
constexpr std::size_t kTriedMax = 200'000;
constexpr std::size_t kPairsMax = 2000;

bool holds(const Operations& operations) {
  return check_linearizable(operations, {.tried_max = kTriedMax}).holds();
}

/// Whether the key's operations can have happened if some of these happened twice.
bool is_explained(Operations operations, const Operations& repeatable) {
  for (const Operation& once : repeatable) {
    operations.push_back(once);
    if (holds(operations)) return true;
    operations.pop_back();
  }
  std::size_t pairs = 0;
  for (std::size_t i = 0; i < repeatable.size(); ++i) {
    operations.push_back(repeatable[i]);
    for (std::size_t j = i + 1; j < repeatable.size() && pairs < kPairsMax; ++j, ++pairs) {
      operations.push_back(repeatable[j]);
      if (holds(operations)) return true;
      operations.pop_back();
    }
    operations.pop_back();
  }
  return false;
}

}  // namespace

std::vector<std::string> take_out_repeats(std::span<const Operation> operations,
                                          const std::set<std::size_t>& repeatable,
                                          Report& report) {
  std::vector<std::string> keys;
  std::erase_if(report.violations, [&](const Violation& violation) {
    Operations of_key, twice;
    for (std::size_t i = 0; i < operations.size(); ++i) {
      const Operation& op = operations[i];
      if (op.kind == OpKind::kList || op.key != violation.where) continue;
      of_key.push_back(op);
      if (repeatable.contains(i)) twice.push_back(op);
    }
    const bool explained = is_explained(std::move(of_key), twice);
    if (explained) keys.push_back(violation.where);
    return explained;
  });
  return keys;
}

}  // namespace aisfs::tests::history
