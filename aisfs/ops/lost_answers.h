// SPDX-License-Identifier: MIT
#pragma once
#include <type_traits>

#include "aisfs/ops/mount_state.h"

namespace aisfs::ops {

/// Of a change that the cluster does not try again by itself, because a second attempt would find
/// the first one's work and call it an error.
inline constexpr int kAttemptsMax = 4;

/// Whether the change may have been made, and there is time to look.
inline bool may_have_happened(const Call& call, const Error& why) {
  return (why == Errc::timed_out || why == Errc::unreachable) && !call.deadline->expired();
}

/// Makes attempts until one is answered, of a change that may be made twice. `attempt` is told
/// whether one before may have happened, and may find its work.
template <class Attempt>
auto until_answered(Call call, Attempt attempt) -> std::invoke_result_t<Attempt&, bool> {
  auto done = co_await attempt(false);
  for (int i = 1; i < kAttemptsMax && !done && may_have_happened(call, done.error()); ++i) {
    done = co_await attempt(true);
  }
  co_return done;
}

}  // namespace aisfs::ops
