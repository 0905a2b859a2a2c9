// SPDX-License-Identifier: MIT
#pragma once
#include <chrono>
#include <cstdint>

#include "common/async/clock.h"

namespace aisfs::target {

/// What the bytes of an object may take between two targets, beside the messages: one that is
/// slower than 1 MiB a second is tried again.
inline Duration time_of_copy(std::uint64_t bytes) { return std::chrono::seconds(bytes >> 20); }

}  // namespace aisfs::target
