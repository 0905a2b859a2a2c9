// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "tests/kit/history/operation.h"

namespace aisfs::tests::history {

/// What an operation demands of the register before it.
struct Guard {
  enum class Kind : std::uint8_t { kAny, kIs, kIsNot };
  Kind kind = Kind::kAny;
  ValueId value;  // zero: absent

  bool allows(ValueId state) const {
    return kind == Kind::kAny || (kind == Kind::kIs) == (state == value);
  }
};

/// An operation with its outcome, as a step of the register of one key, whose state is a value.
///
/// A read demands a state and leaves it; an acknowledged PUT demands nothing; a conditional PUT
/// that was refused demands that its condition does not hold, which makes it a read.
struct Move {
  const Operation* op = nullptr;
  Guard guard;
  std::optional<ValueId> becomes;  // of a mutation: the state after it
  bool required = true;            // false: its outcome is unknown, it may be left out
};

/// Stands for all values that no guard names, so that states which nobody can tell apart are one.
inline constexpr ValueId kUnseen{~std::uint64_t{0}};

/// The moves of one key, in the order of its operations.
///
/// Left out are operations without effect that demand nothing: what failed, unknown reads, and
/// unknown mutations after which no other move of the key demands their value (in any order that
/// has such a one, the order without it is as good). Conditions on a version become conditions on
/// the value that some reply has shown with that version; if none has, on presence alone, so a
/// correct history is never refused for it.
std::vector<Move> moves_of(std::span<const Operation* const> operations);

}  // namespace aisfs::tests::history
