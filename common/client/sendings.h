// SPDX-License-Identifier: MIT
#pragma once
#include <optional>

#include "common/client/object_api.h"
#include "common/client/replay.h"

namespace aisfs {

/// The sendings of one operation: whether there may be another, and what goes along with it.
///
/// After one that may have happened though nobody says so, others may have changed the name by the
/// time of the next, which would undo that. So from then on a kGuarded operation goes with what was
/// known of the owner's versions before (Context::unless_newer): whatever the lost one has done,
/// and whatever came after it, is newer.
class Sendings {
 public:
  explicit Sendings(Replay replay) : replay_(replay) {}

  /// The context of the next one, to `owner` by the map of context.epoch. Valid until the one
  /// after.
  const Context& next(const ObjectApi& owner, const Context& context);

  /// Whether there may be another after the last has failed so.
  bool may_go_on(const Error& why) { return may_go_on(why, replay_); }
  /// The same for one of which the other side has got no byte of the body: nothing has happened.
  bool may_go_on_unread(const Error& why) { return may_go_on(why, Replay::kSafe); }

  /// What the operation has failed with when there is no other: a refusal of the last says nothing
  /// of those before.
  Error told(Error last) const;

 private:
  bool may_go_on(const Error& why, Replay replay);

  const Replay replay_;
  std::optional<Version> known_;  // before the one that is under way
  std::optional<Version> guard_;  // before the first that may have happened
  bool repeating_ = false;        // the one that is under way has a guard
  Context again_;
};

/// The guard of what is sent by the map of `epoch` to a node whose last version was `last`: what it
/// changes then is newer. Of an earlier epoch `last` says nothing: the node may have been made
/// anew.
Version newest_before(Epoch epoch, Version last);

}  // namespace aisfs
