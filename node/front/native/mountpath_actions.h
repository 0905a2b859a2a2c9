// SPDX-License-Identifier: MIT
// Mountpaths of a target in AIStore's words.
#pragma once
#include "node/front/native/call.h"

namespace aisfs::native {

/// GET ?what=mountpaths of a node: paths that are available, that are being emptied (waiting_dd)
/// and that are not in use.
Task<void> reply_mountpaths(Call& call, std::string node);

/// PUT, POST and DELETE of .../mountpaths: attach-mp, detach-mp, enable-mp and disable-mp of the
/// path in `value`; with ?dntres=true it goes at once with what is on it. 204 when nothing was to
/// be done.
Task<void> serve_mountpath_action(Call& call, std::string node);

/// /v1/reverse/daemon: the same of the node that Ais-Node-Id names, at any node.
Task<void> serve_reverse(Call& call);

}  // namespace aisfs::native
