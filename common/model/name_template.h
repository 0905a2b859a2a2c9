// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"

namespace aisfs {

/// Many names in one text, as a shell writes them: "shard-{000..998..2}.tar" stands for
/// shard-000.tar, shard-002.tar, ... A number is padded with zeros to the width of the first of
/// its range. There may be several ranges; the last one runs fastest. Values are immutable.
class NameTemplate {
 public:
  /// invalid_argument for braces that do not match, a range that is none or runs backwards, and
  /// for more than kNamesMax names.
  static Result<NameTemplate> parse(std::string_view text);
  static constexpr std::uint64_t kNamesMax = 100'000'000;

  /// Without ranges it is a prefix, and stands for the names that begin with it.
  bool is_prefix() const { return ranges_.empty(); }
  /// What stands before the first range.
  const std::string& head() const { return texts_.front(); }
  /// How many names it stands for; 1 for a prefix.
  std::uint64_t count() const { return count_; }
  /// The name of this number, which is less than count().
  std::string at(std::uint64_t index) const;

 private:
  struct Range {
    std::uint64_t first = 0, step = 1, count = 1;
    std::size_t width = 0;
  };
  static Result<Range> parse_range(std::string_view text);

  std::vector<std::string> texts_;  // around the ranges: one more than there are
  std::vector<Range> ranges_;
  std::uint64_t count_ = 1;
};

}  // namespace aisfs
