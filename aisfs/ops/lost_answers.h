// SPDX-License-Identifier: MIT
#pragma once
#include "aisfs/ops/mount_state.h"

namespace aisfs::ops {

/// Of a change that the cluster does not try again by itself, because a second attempt would find
/// the first one's work and call it an error.
inline constexpr int kAttemptsMax = 4;

/// Whether the change may have been made, and there is time to look.
inline bool may_have_happened(const Call& call, const Error& why) {
  return (why == Errc::timed_out || why == Errc::unreachable) && !call.deadline->expired();
}

}  // namespace aisfs::ops
