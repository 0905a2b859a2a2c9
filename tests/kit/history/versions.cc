// SPDX-License-Identifier: MIT
#include "tests/kit/history/versions.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "tests/kit/history/history_file.h"

namespace aisfs::tests::history {
namespace {

struct Finding {
  std::string what;
  const Operation* earlier;
  const Operation* later;
};

/// The reply says that the key was absent, so that a tombstone must be able to prove it. (A 404 to
/// any other kind is about the bucket.)
bool is_absence(const Operation& op) {
  const bool of_key = op.kind == OpKind::kGet || op.kind == OpKind::kHead ||
                      op.kind == OpKind::kDelete || op.kind == OpKind::kPutIfMatch;
  return of_key && op.outcome == Outcome::kAbsent;
}

/// The reply shows a state of the key: a read, or a 404 or 412 that came with a version.
bool is_observation(const Operation& op) {
  if (is_absence(op) || op.outcome == Outcome::kConflict) return true;
  return op.outcome == Outcome::kOk && !is_mutation(op.kind);
}

/// The reply says for certain what the version is: a value, or a tombstone (zero).
std::optional<ValueId> meaning_of(const Operation& op) {
  if (!op.version) return {};
  if (is_absence(op)) return ValueId{};
  if (op.outcome != Outcome::kOk) return {};
  if (op.kind == OpKind::kDelete) return ValueId{};
  return op.value ? std::optional(op.value) : std::nullopt;
}

/// The operations are in the order of invocation; `newest` holds the one with the highest version
/// among those that returned before the current one began.
std::optional<Finding> check_order(const KeyOperations& operations, VersionsOptions options) {
  KeyOperations by_return = operations;
  sort_by(&Operation::returned, by_return);
  const Operation* newest = nullptr;
  auto returned = by_return.begin();
  for (const Operation* op : operations) {
    for (; returned != by_return.end() && precedes(**returned, *op); ++returned) {
      const bool shows = is_acked_mutation(**returned) || is_observation(**returned);
      if (shows && (*returned)->version > (newest ? newest->version : Version{}))
        newest = *returned;
    }
    if (newest == nullptr) continue;
    if (is_acked_mutation(*op) && op->version && op->version <= newest->version) {
      return Finding{"a mutation is not newer than what was known before it began", newest, op};
    }
    if (is_observation(*op) && op->version && op->version < newest->version) {
      return Finding{"a reply is older than what was known before the request", newest, op};
    }
    if (options.tombstones && is_absence(*op) && !op->version) {
      return Finding{"a 404 without a tombstone after a version was known", newest, op};
    }
  }
  return {};
}

std::optional<Finding> check_meaning(const KeyOperations& operations) {
  std::map<Version, const Operation*> shown, made;
  for (const Operation* op : operations) {
    if (const auto meaning = meaning_of(*op)) {
      const auto [before, first] = shown.emplace(op->version, op);
      if (!first && meaning_of(*before->second) != meaning) {
        return Finding{"a version is two things", before->second, op};
      }
    }
    if (is_acked_mutation(*op) && op->version) {
      const auto [before, first] = made.emplace(op->version, op);
      if (!first) return Finding{"two mutations have one version", before->second, op};
    }
  }
  return {};
}

std::optional<Finding> check_conditions(const KeyOperations& operations) {
  std::map<Version, const Operation*> known;
  for (const Operation* op : operations) {
    if (op->version && op->outcome != Outcome::kUnknown) known.emplace(op->version, op);
  }
  for (const Operation* op : operations) {
    if (op->kind != OpKind::kPutIfMatch || !is_acked_mutation(*op)) continue;
    if (!op->version || !op->if_version) continue;
    const auto between = known.upper_bound(op->if_version);
    if (between != known.end() && between->first < op->version) {
      return Finding{"a conditional PUT replaced another version than it demanded", between->second,
                     op};
    }
    if (op->version <= op->if_version) {
      return Finding{"a conditional PUT is not newer than what it replaced", op, op};
    }
  }
  return {};
}

std::optional<Finding> check_key(const KeyOperations& operations, VersionsOptions options) {
  if (auto found = check_order(operations, options)) return found;
  if (auto found = check_meaning(operations)) return found;
  return check_conditions(operations);
}

}  // namespace

Report check_versions(std::span<const Operation> operations, VersionsOptions options) {
  Report report{.check = "versions"};
  for (const auto& [key, ops] : by_key(operations)) {
    ++report.checked;
    const auto found = check_key(ops, options);
    if (!found) continue;
    std::string excerpt = "  " + to_line(*found->earlier) + '\n';
    if (found->later != found->earlier) excerpt += "  " + to_line(*found->later) + '\n';
    report.violations.push_back({std::string(key), found->what, std::move(excerpt)});
  }
  return report;
}

}  // namespace aisfs::tests::history
