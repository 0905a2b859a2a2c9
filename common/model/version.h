// SPDX-License-Identifier: MIT
#pragma once
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "common/base/result.h"

namespace aisfs {

/// Orders all mutations of a key over all nodes: the newest wins, everywhere, always.
///
/// The epoch comes first, so a new owner's writes beat the old owner's without reading them; then
/// the owner's hybrid logical clock (strictly rising in one incarnation); then the incarnation,
/// which no two nodes share: a version is given once in the life of a cluster.
struct Version {
  std::uint32_t epoch = 0;
  std::uint64_t hlc = 0;  // unix milliseconds << 20 | counter
  std::uint32_t incarnation = 0;

  auto operator<=>(const Version&) const = default;
  explicit operator bool() const { return *this != Version{}; }

  std::int64_t unix_ms() const { return static_cast<std::int64_t>(hlc >> 20); }

  /// "<epoch>.<hlc>.<incarnation>", hexadecimal without leading zeros.
  std::string to_string() const;
  static Result<Version> parse(std::string_view text);

  template <class A>
  void serialize(A& ar) {
    ar(epoch, hlc, incarnation);
  }
};

}  // namespace aisfs
