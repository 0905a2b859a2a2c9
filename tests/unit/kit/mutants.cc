// SPDX-License-Identifier: MIT
#include "tests/unit/kit/mutants.h"

#include <algorithm>
#include <array>
#include <map>
#include <utility>
#include <vector>

namespace aisfs::tests::history {
namespace {

bool is_ok_get(const Operation& op) {
  return op.kind == OpKind::kGet && op.outcome == Outcome::kOk;
}

/// An acknowledged PUT of any kind.
bool is_acked_put(const Operation& op) {
  return is_acked_mutation(op) && op.kind != OpKind::kDelete;
}

bool is_get_reply(const Operation& op) {
  return op.kind == OpKind::kGet && (op.outcome == Outcome::kOk || op.outcome == Outcome::kAbsent);
}

template <class T>
std::optional<T> pick(const std::vector<T>& choices, Random& random) {
  if (choices.empty()) return {};
  return choices[below(random, choices.size())];
}

void show(Operation& get, const Operation& put) {
  get.outcome = Outcome::kOk;
  get.value = put.value;
  get.version = put.version;
}

/// An acknowledged PUT, what replaced it, and a GET, each after the one before.
using Overtaken = std::array<std::size_t, 3>;

template <class IsReplacement>
std::vector<Overtaken> overtaken(const Operations& ops, IsReplacement is_replacement) {
  std::vector<Overtaken> found;
  for (std::size_t put = 0; put < ops.size(); ++put) {
    if (!is_acked_put(ops[put])) continue;
    for (std::size_t next = 0; next < ops.size(); ++next) {
      const bool replaces = is_replacement(ops[next]) && ops[next].key == ops[put].key;
      if (!replaces || !precedes(ops[put], ops[next])) continue;
      for (std::size_t get = 0; get < ops.size(); ++get) {
        const bool sees = is_get_reply(ops[get]) && ops[get].key == ops[put].key;
        if (sees && precedes(ops[next], ops[get])) found.push_back({put, next, get});
      }
    }
  }
  return found;
}

template <class IsReplacement>
std::optional<Operations> show_overtaken(Operations ops, Random& random, IsReplacement replaces) {
  const auto chosen = pick(overtaken(ops, replaces), random);
  if (!chosen) return {};
  show(ops[(*chosen)[2]], ops[(*chosen)[0]]);
  return ops;
}

}  // namespace

std::optional<Operations> swap_reads(Operations ops, Random& random) {
  std::vector<std::pair<std::size_t, std::size_t>> pairs;
  for (std::size_t i = 0; i < ops.size(); ++i) {
    for (std::size_t j = 0; j < ops.size(); ++j) {
      const bool both = is_ok_get(ops[i]) && is_ok_get(ops[j]) && ops[i].key == ops[j].key;
      if (both && precedes(ops[i], ops[j]) && ops[i].value != ops[j].value)
        pairs.emplace_back(i, j);
    }
  }
  const auto chosen = pick(pairs, random);
  if (!chosen) return {};
  std::swap(ops[chosen->first].value, ops[chosen->second].value);
  std::swap(ops[chosen->first].version, ops[chosen->second].version);
  return ops;
}

std::optional<Operations> drop_write(Operations ops, Random& random) {
  std::vector<ValueId> seen;
  for (const Operation& op : ops) {
    if (is_ok_get(op)) seen.push_back(op.value);
  }
  const auto value = pick(seen, random);
  if (!value) return {};
  std::erase_if(ops,
                [&](const Operation& op) { return is_mutation(op.kind) && op.value == *value; });
  return ops;
}

std::optional<Operations> stale_read(Operations ops, Random& random) {
  return show_overtaken(std::move(ops), random, is_acked_put);
}

std::optional<Operations> resurrect(Operations ops, Random& random) {
  return show_overtaken(std::move(ops), random, [](const Operation& op) {
    return op.kind == OpKind::kDelete && op.outcome == Outcome::kOk;
  });
}

std::optional<Operations> lose_write(Operations ops, Random& random) {
  auto all = overtaken(ops, is_acked_put);
  std::erase_if(all, [&](const Overtaken& o) { return ops[o[2]].value != ops[o[1]].value; });
  const auto chosen = pick(all, random);
  if (!chosen) return {};
  const ValueId lost = ops[(*chosen)[1]].value;
  const Operation before = ops[(*chosen)[0]];
  for (Operation& op : ops) {
    if (is_ok_get(op) && op.value == lost) show(op, before);
  }
  return ops;
}

std::optional<Operations> double_success(Operations ops, Random& random) {
  std::vector<std::pair<std::size_t, std::size_t>> pairs;  // one that succeeded, one that will
  for (std::size_t i = 0; i < ops.size(); ++i) {
    const bool first = ops[i].kind == OpKind::kPutIfMatch && ops[i].outcome == Outcome::kOk;
    for (std::size_t j = 0; first && j < ops.size(); ++j) {
      const bool second = j != i && ops[j].key == ops[i].key &&
                          ops[j].kind == OpKind::kPutIfMatch && ops[j].outcome != Outcome::kOk &&
                          ops[j].returned != kNever;
      if (second) pairs.emplace_back(i, j);
    }
  }
  const auto chosen = pick(pairs, random);
  if (!chosen) return {};
  const Operation& first = ops[chosen->first];
  Operation& second = ops[chosen->second];
  second.outcome = Outcome::kOk;
  second.if_value = first.if_value;
  second.if_version = first.if_version;
  second.version = first.version;
  second.version.incarnation += 1;  // another owner's
  return ops;
}

std::optional<Operations> repeat_entry(Operations ops, Random& random) {
  std::vector<std::pair<std::size_t, std::size_t>> pairs;  // pages of one listing
  for (std::size_t i = 0; i < ops.size(); ++i) {
    for (std::size_t j = 0; j < ops.size(); ++j) {
      const bool pages = ops[i].kind == OpKind::kList && ops[j].kind == OpKind::kList;
      if (pages && ops[i].listing == ops[j].listing && !ops[i].entries.empty()) {
        pairs.emplace_back(i, j);
      }
    }
  }
  const auto chosen = pick(pairs, random);
  if (!chosen) return {};
  const auto& from = ops[chosen->first].entries;
  ops[chosen->second].entries.push_back(from[below(random, from.size())]);
  return ops;
}

}  // namespace aisfs::tests::history
