// SPDX-License-Identifier: MIT
#pragma once
#include "common/client/object_api.h"

namespace aisfs {

/// What a second attempt of an operation may do after the answer to the first got lost.
enum class Replay : std::uint8_t {
  kSafe,       // doing it twice is doing it once
  kGuarded,    // it might undo what others did in between: only with Context::unless_newer
  kAmbiguous,  // the first may have happened: only a refusal may be tried again
};

/// Of a change under these conditions: it may have made them false itself.
Replay replay_of(const Conditions& conditions);
Replay replay_of(const AttrChange& change, const Conditions& conditions);
Replay replay_of(const RemoveOptions& options);
Replay replay_of(const CopyOptions& options);

}  // namespace aisfs
