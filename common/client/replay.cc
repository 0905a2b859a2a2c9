// SPDX-License-Identifier: MIT
#include "common/client/replay.h"

namespace aisfs {

Replay replay_of(const Conditions& conditions) {
  return conditions.any() ? Replay::kAmbiguous : Replay::kGuarded;
}

Replay replay_of(const AttrChange& change, const Conditions& conditions) {
  const bool exclusive = change.xattr_must_exist || change.xattr_must_not_exist;
  return exclusive ? Replay::kAmbiguous : replay_of(conditions);
}

Replay replay_of(const RemoveOptions& options) {
  return options.missing_ok ? replay_of(options.conditions) : Replay::kAmbiguous;
}

Replay replay_of(const CopyOptions& options) { return replay_of(options.destination_conditions); }

}  // namespace aisfs
