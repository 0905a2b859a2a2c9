// SPDX-License-Identifier: MIT
#include "common/client/sendings.h"

#include <limits>
#include <utility>

#include "common/client/retry.h"

namespace aisfs {
namespace {

/// Whether what has failed so may have happened all the same.
bool may_have_happened(const Error& why) {
  return !why.never_sent() && (why == Errc::unreachable || why == Errc::timed_out);
}

}  // namespace

Version newest_before(Epoch epoch, Version last) {
  return {.epoch = epoch,
          .hlc = last.epoch == epoch ? last.hlc : 0,
          .incarnation = std::numeric_limits<std::uint32_t>::max()};
}

const Context& Sendings::next(const ObjectApi& owner, const Context& context) {
  if (replay_ != Replay::kGuarded) return context;
  repeating_ = guard_ || context.unless_newer;
  if (!guard_) known_ = newest_before(context.epoch, owner.last_version());
  // What the caller has sent before was sent before.
  if (!guard_ || context.unless_newer) return context;
  again_ = context;
  again_.unless_newer = guard_;
  return again_;
}

bool Sendings::may_go_on(const Error& why, Replay replay) {
  const auto known = std::exchange(known_, std::nullopt);
  const bool repeated = std::exchange(repeating_, false);
  if (!may_retry(why, replay)) return false;
  if (replay != Replay::kGuarded) return true;
  if (repeated && why == Errc::timed_out) return false;  // the owner cannot tell either
  if (known && may_have_happened(why)) guard_ = known;
  return true;
}

Error Sendings::told(Error last) const {
  const bool refused =
      last == Errc::stale_map || last == Errc::not_ready || last == Errc::overloaded;
  if (!guard_ || !refused) return last;
  return Error(Errc::timed_out, last.what() + "; an earlier attempt may have happened");
}

}  // namespace aisfs
