// SPDX-License-Identifier: MIT
#pragma once
#include "common/client/object_api.h"

namespace aisfs::native {

/// The map to serve a request with, given the epoch that its sender knows: the header Ais-Epoch,
/// "" without one, and then any will do. A newer one is fetched first: not_ready when it cannot be
/// had. An older one is refused with stale_map.
Task<Result<MapSnapshot>> agree_on_epoch(MapSource& maps, std::string header);

}  // namespace aisfs::native
