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

/// Whether a refusal says what there is, which nobody is told before all copies have it. Nothing
/// has been changed then.
inline bool tells_of_state(const Error& refusal) {
  return refusal == Errc::not_found || refusal == Errc::already_exists ||
         refusal == Errc::precondition_failed;
}

}  // namespace aisfs::target
