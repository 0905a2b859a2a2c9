// SPDX-License-Identifier: MIT
#pragma once
#include <string>

#include "common/base/result.h"
#include "common/model/cluster_map.h"

namespace aisfs {

/// Whether nobody misses the node when it ends: it takes part in nothing, and all its names are
/// elsewhere. not_found; precondition_failed for one that takes part; busy while it holds names
/// that others lack, or is the one that holds the cluster map. The texts say what to do.
Status may_end(const ClusterMap& map, const std::string& node);

}  // namespace aisfs
