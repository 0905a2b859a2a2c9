// SPDX-License-Identifier: MIT
#include "tests/kit/history/register_move.h"

#include <algorithm>
#include <map>
#include <set>

namespace aisfs::tests::history {
namespace {

constexpr ValueId kAbsentValue{};
constexpr Guard kAny{};
constexpr Guard kPresent{Guard::Kind::kIsNot, kAbsentValue};
constexpr Guard kAbsent{Guard::Kind::kIs, kAbsentValue};

using Values = std::map<Version, ValueId>;

Guard is(ValueId value) { return {Guard::Kind::kIs, value}; }
Guard is_not(ValueId value) { return {Guard::Kind::kIsNot, value}; }

/// Which value each version is known to have.
Values values_of(std::span<const Operation* const> operations) {
  Values values;
  for (const Operation* op : operations) {
    if (op->outcome == Outcome::kOk && op->version && op->value) values[op->version] = op->value;
  }
  return values;
}

/// The value or, failing that, the value of the version; zero when neither is known.
ValueId resolve(ValueId value, Version version, const Values& values) {
  const auto known = values.find(version);
  return value || known == values.end() ? value : known->second;
}

std::optional<Move> read_move(const Operation& op, const Values& values) {
  if (op.outcome == Outcome::kAbsent) return Move{&op, kAbsent};
  if (op.outcome != Outcome::kOk) return {};
  const ValueId seen = resolve(op.value, op.version, values);
  return Move{&op, seen ? is(seen) : kPresent};
}

std::optional<Move> blind_move(const Operation& op, ValueId becomes) {
  if (op.outcome == Outcome::kOk) return Move{&op, kAny, becomes};
  if (op.outcome == Outcome::kUnknown) return Move{&op, kAny, becomes, false};
  if (op.outcome == Outcome::kAbsent && op.kind == OpKind::kDelete) return Move{&op, kAbsent};
  return {};
}

/// `refused` is what a 412 says of the state.
std::optional<Move> conditional_move(const Operation& op, Guard condition, Guard refused) {
  switch (op.outcome) {
    case Outcome::kOk:
      return Move{&op, condition, op.value};
    case Outcome::kUnknown:
      return Move{&op, condition, op.value, false};
    case Outcome::kConflict:
      return Move{&op, refused};
    case Outcome::kAbsent:  // a reply to If-Match only
      if (op.kind == OpKind::kPutIfMatch) return Move{&op, kAbsent};
      return {};
    case Outcome::kFailed:
      return {};
  }
  return {};
}

std::optional<Move> move_of(const Operation& op, const Values& values) {
  switch (op.kind) {
    case OpKind::kGet:
    case OpKind::kHead:
      return read_move(op, values);
    case OpKind::kPut:
      return blind_move(op, op.value);
    case OpKind::kDelete:
      return blind_move(op, kAbsentValue);
    case OpKind::kPutIfAbsent:
      return conditional_move(op, kAbsent, kPresent);
    case OpKind::kPutIfMatch: {
      const ValueId expected = resolve(op.if_value, op.if_version, values);
      return expected ? conditional_move(op, is(expected), is_not(expected))
                      : conditional_move(op, kPresent, kAny);
    }
    case OpKind::kList:
      return {};
  }
  return {};
}

bool anybody_demands(const std::vector<Move>& moves, ValueId state) {
  return std::ranges::any_of(moves, [&](const Move& move) {
    return move.guard.kind != Guard::Kind::kAny && move.guard.allows(state);
  });
}

void merge_unseen(std::vector<Move>& moves) {
  std::set<ValueId> named{kAbsentValue};
  for (const Move& move : moves) {
    if (move.guard.kind != Guard::Kind::kAny) named.insert(move.guard.value);
  }
  for (Move& move : moves) {
    if (move.becomes && !named.contains(*move.becomes)) move.becomes = kUnseen;
  }
}

}  // namespace

std::vector<Move> moves_of(std::span<const Operation* const> operations) {
  const Values values = values_of(operations);
  std::vector<Move> all;
  for (const Operation* op : operations) {
    if (const auto move = move_of(*op, values)) all.push_back(*move);
  }
  merge_unseen(all);
  std::vector<Move> useful;
  for (const Move& move : all) {
    if (move.required || anybody_demands(all, *move.becomes)) useful.push_back(move);
  }
  return useful;
}

}  // namespace aisfs::tests::history
