// SPDX-License-Identifier: MIT
#pragma once
#include "common/base/result.h"

namespace aisfs::target {

/// What fails when the change has been made must not look like a refusal, which is tried again: a
/// condition would no longer hold.
inline Status after_change(Status done) {
  if (done || done.error() == Errc::timed_out) return done;
  return Error(Errc::timed_out, done.error().what() + "; the change has been made");
}

}  // namespace aisfs::target
