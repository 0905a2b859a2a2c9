// SPDX-License-Identifier: MIT
#include "tests/kit/history/operation.h"

#include <algorithm>
#include <utility>

namespace aisfs::tests::history {

bool is_mutation(OpKind kind) {
  return kind == OpKind::kPut || kind == OpKind::kDelete || kind == OpKind::kPutIfMatch ||
         kind == OpKind::kPutIfAbsent;
}

bool is_acked_mutation(const Operation& op) {
  return is_mutation(op.kind) && op.outcome == Outcome::kOk;
}

std::map<std::string_view, KeyOperations> by_key(std::span<const Operation> operations) {
  std::map<std::string_view, KeyOperations> keys;
  for (const Operation& op : operations) {
    if (op.kind != OpKind::kList) keys[op.key].push_back(&op);
  }
  for (auto& [key, ops] : keys) sort_by(&Operation::invoked, ops);
  return keys;
}

void sort_by(std::int64_t Operation::* time, KeyOperations& operations) {
  std::ranges::sort(operations, {},
                    [time](const Operation* op) { return std::pair(op->*time, op); });
}

}  // namespace aisfs::tests::history
