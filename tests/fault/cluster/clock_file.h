// SPDX-License-Identifier: MIT
#pragma once
#include <atomic>
#include <cstdint>

namespace aisfs::tests::storm {

/// What a node's wall clock shows, in memory that it shares with whoever sets it.
struct ClockFile {
  std::atomic<std::int64_t> offset_ns;
  std::atomic<std::int64_t> frozen_ns;  // this, for ever; 0: it goes on
};

}  // namespace aisfs::tests::storm
