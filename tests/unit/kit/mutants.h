// SPDX-License-Identifier: MIT
#pragma once
#include <optional>
#include <string_view>

#include "tests/kit/history/operation.h"
#include "tests/unit/kit/register_sim.h"

namespace aisfs::tests::history {

/// A fault of a store, played by changing the history of a perfect one.
struct Mutation {
  std::string_view name;
  /// The changed history; nothing if it has no place for this fault.
  std::optional<Operations> (*apply)(Operations operations, Random& random);
};

/// Two reads, one after the other, saw what the other did. On one key with overlapping writes
/// the result may still be right; without versions nobody could tell.
std::optional<Operations> swap_reads(Operations operations, Random& random);
/// The writer of something that was read is struck from the record.
std::optional<Operations> drop_write(Operations operations, Random& random);
/// A GET shows an acknowledged PUT that an acknowledged PUT replaced before it began.
std::optional<Operations> stale_read(Operations operations, Random& random);
/// The same, after an acknowledged DELETE.
std::optional<Operations> resurrect(Operations operations, Random& random);
/// All GETs that saw an acknowledged PUT, one of which began after it, see the one before it.
std::optional<Operations> lose_write(Operations operations, Random& random);
/// A second conditional PUT on one value succeeds, as by two owners.
std::optional<Operations> double_success(Operations operations, Random& random);
/// A page repeats an entry of its listing.
std::optional<Operations> repeat_entry(Operations operations, Random& random);

inline constexpr Mutation kMutations[] = {
    {"swapped reads", swap_reads},    {"dropped write", drop_write},
    {"stale read", stale_read},       {"resurrected delete", resurrect},
    {"lost write", lose_write},       {"double success", double_success},
    {"repeated entry", repeat_entry},
};

}  // namespace aisfs::tests::history
