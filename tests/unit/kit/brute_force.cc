// SPDX-License-Identifier: MIT
#include "tests/unit/kit/brute_force.h"

#include <cstdint>

namespace aisfs::tests::history {
namespace {

struct Answer {
  Outcome outcome = Outcome::kOk;
  ValueId value;
};

/// What a real register does.
Answer execute(const Operation& op, ValueId& content) {
  switch (op.kind) {
    case OpKind::kGet:
    case OpKind::kHead:
      return {content ? Outcome::kOk : Outcome::kAbsent, content};
    case OpKind::kDelete: {
      const Outcome outcome = content ? Outcome::kOk : Outcome::kAbsent;
      content = {};
      return {outcome};
    }
    case OpKind::kPutIfMatch:
      if (!content) return {Outcome::kAbsent};
      if (content != op.if_value) return {Outcome::kConflict};
      break;
    case OpKind::kPutIfAbsent:
      if (content) return {Outcome::kConflict};
      break;
    case OpKind::kPut:
    case OpKind::kList:
      break;
  }
  content = op.value;
  return {};
}

bool agrees(const Operation& recorded, const Answer& answer) {
  if (recorded.outcome == Outcome::kUnknown) return true;
  const bool same = recorded.outcome == answer.outcome;
  switch (recorded.kind) {
    case OpKind::kGet:
      return same && (answer.outcome != Outcome::kOk || recorded.value == answer.value);
    case OpKind::kHead:
      return same && (!recorded.value || recorded.value == answer.value);
    case OpKind::kDelete:  // 204 may be the answer to both
      return same || recorded.outcome == Outcome::kOk;
    case OpKind::kPutIfMatch:  // 412 may be the answer to a missing key
      return same || (recorded.outcome == Outcome::kConflict && answer.outcome == Outcome::kAbsent);
    default:
      return same;
  }
}

/// Tries every operation as the next one.
class Orders {
 public:
  explicit Orders(std::span<const Operation> operations) : operations_(operations) {}

  bool any_from(std::uint32_t done, ValueId content) const {
    if (all_certain_are(done)) return true;
    for (std::uint32_t i = 0; i < operations_.size(); ++i) {
      if (!may_be_next(i, done)) continue;
      ValueId after = content;
      const Answer answer = execute(operations_[i], after);
      if (agrees(operations_[i], answer) && any_from(done | 1u << i, after)) return true;
    }
    return false;
  }

 private:
  bool all_certain_are(std::uint32_t done) const {
    for (std::uint32_t i = 0; i < operations_.size(); ++i) {
      const Outcome outcome = operations_[i].outcome;
      const bool certain = outcome != Outcome::kUnknown && outcome != Outcome::kFailed;
      if (certain && (done & 1u << i) == 0) return false;
    }
    return true;
  }

  bool may_be_next(std::uint32_t next, std::uint32_t done) const {
    if ((done & 1u << next) != 0 || operations_[next].outcome == Outcome::kFailed) return false;
    for (std::uint32_t i = 0; i < operations_.size(); ++i) {
      const bool happened = operations_[i].outcome != Outcome::kFailed;
      if (happened && (done & 1u << i) == 0 && precedes(operations_[i], operations_[next])) {
        return false;
      }
    }
    return true;
  }

  const std::span<const Operation> operations_;
};

}  // namespace

bool some_order_explains(std::span<const Operation> operations) {
  return Orders(operations).any_from(0, ValueId{});
}

}  // namespace aisfs::tests::history
