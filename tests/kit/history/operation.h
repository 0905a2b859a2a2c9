// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>
#include <limits>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/strong.h"
#include "common/model/version.h"

namespace aisfs::tests::history {

/// Stands for the bytes of a body. Whoever writes histories makes each body unique, so that a read
/// says which PUT it saw. Zero is no value: absence, or "not known".
using ValueId = Strong<std::uint64_t, struct ValueIdTag>;

enum class OpKind : std::uint8_t { kPut, kGet, kDelete, kHead, kPutIfMatch, kPutIfAbsent, kList };

/// What a client may conclude from how its request ended.
enum class Outcome : std::uint8_t {
  kOk,
  kAbsent,    // 404: there was no such object
  kConflict,  // 412: the condition did not hold
  kUnknown,   // timeout, 5xx, lost connection: happened, happens at any later time, or never
  kFailed,    // certainly did not happen
};

/// The return time of what never returned.
inline constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();

/// One request of one client, from before it was sent until after its reply was read.
///
/// Times are nanoseconds of one clock for all clients, steady or simulated. A DELETE that was told
/// that there is nothing to delete (404) is kAbsent; kOk is one that was done, and S3 says 204 to
/// both.
struct Operation {
  std::int64_t invoked = 0;
  std::int64_t returned = kNever;  // kNever unless the outcome is certain
  std::uint32_t client = 0;
  OpKind kind = OpKind::kGet;
  std::string key;  // of a LIST: the prefix
  Outcome outcome = Outcome::kUnknown;
  ValueId value;    // written by a PUT of any kind, seen by a GET or HEAD
  Version version;  // of the mutation, of what was read, of the tombstone; zero: the reply had none
  ValueId if_value;    // what a kPutIfMatch demands, by content (an ETag) ...
  Version if_version;  // ... or by version; the value counts if both are given

  // Of a page of a LIST.
  std::uint64_t listing = 0;         // which listing the page belongs to
  std::string after;                 // only keys after this one were asked for
  std::vector<std::string> entries;  // the keys of the page
  bool last = false;                 // the server said that no page follows

  bool operator==(const Operation&) const = default;
};

using Operations = std::vector<Operation>;

/// True if the kind changes a key when it succeeds.
bool is_mutation(OpKind kind);
/// True for a mutation that was acknowledged.
bool is_acked_mutation(const Operation& op);
/// True if `a` had returned when `b` began. Equal times overlap.
inline bool precedes(const Operation& a, const Operation& b) { return a.returned < b.invoked; }

/// Without LISTs, a key's operations in the order of invocation. They point into `operations`.
using KeyOperations = std::vector<const Operation*>;
std::map<std::string_view, KeyOperations> by_key(std::span<const Operation> operations);

/// Sorts by a time; those of one time stay as they lie in the history, which is in one piece.
void sort_by(std::int64_t Operation::* time, KeyOperations& operations);

}  // namespace aisfs::tests::history
