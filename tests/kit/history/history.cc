// SPDX-License-Identifier: MIT
#include "tests/kit/history/history.h"

#include <chrono>
#include <utility>

#include "common/base/assert.h"

namespace aisfs::tests::history {
namespace {

std::int64_t steady_nanoseconds() {
  const auto since = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::nanoseconds>(since).count();
}

}  // namespace

History::History() : History(steady_nanoseconds) {}

History::History(Clock now) : now_(std::move(now)) {}

std::size_t History::begin(Operation operation) {
  operation.invoked = now_();
  operation.returned = kNever;
  operation.outcome = Outcome::kUnknown;
  const std::lock_guard lock(mutex_);
  operations_.push_back(std::move(operation));
  return operations_.size() - 1;
}

void History::end(std::size_t id, Reply reply) {
  const std::int64_t now = now_();
  const std::lock_guard lock(mutex_);
  AISFS_ASSERT(id < operations_.size());
  Operation& op = operations_[id];
  AISFS_ASSERT(op.returned == kNever);
  op.outcome = reply.outcome;
  if (reply.outcome == Outcome::kUnknown) return;
  op.returned = now;
  if (!is_mutation(op.kind)) op.value = reply.value;
  op.version = reply.version;
  op.entries = std::move(reply.entries);
  op.last = reply.last;
}

Operations History::operations() const {
  const std::lock_guard lock(mutex_);
  return operations_;
}

}  // namespace aisfs::tests::history
