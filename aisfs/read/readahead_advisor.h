// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>

#include "common/base/bytes.h"
#include "common/model/range.h"

namespace aisfs::read {

/// Says how far ahead of the reader to fetch, from the pattern of its reads alone.
///
/// The second of two adjacent reads opens the window; every further one doubles it up to the
/// limit. A jump halves it, a second jump in a row closes it. Reads a little out of order (the
/// kernel sends them from several threads) count as sequential. Pure; one for each open file.
class ReadaheadAdvisor {
 public:
  explicit ReadaheadAdvisor(std::uint64_t window_max = 32_MiB) : window_max_(window_max) {}

  /// Records a read and returns what is worth having, from its start on; empty when nothing is.
  ByteRange on_read(ByteRange read);

  /// Whether the pattern is one that fetching ahead helps.
  bool sequential() const { return window_ > 0; }

 private:
  static constexpr std::uint64_t kFirstWindow = 1_MiB + 128_KiB;  // so the kernel's own never waits
  static constexpr std::uint64_t kSlack = 1_MiB;

  std::uint64_t window_max_;
  std::uint64_t window_ = 0;
  std::uint64_t expected_ = 0;
  int jumps_ = 0;
};

}  // namespace aisfs::read
