// SPDX-License-Identifier: MIT
#pragma once
#include "node/store/engine.h"

namespace aisfs::store {

/// Gives the file of `bad` a second name in %bad, with a text beside it ("<name>.txt") that tells
/// which object it was; nothing when there is no file. The first name is the caller's. Blocks.
Status set_aside(Mountpath& mountpath, const Key& key, const IndexRecord& bad);

}  // namespace aisfs::store
