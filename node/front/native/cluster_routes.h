// SPDX-License-Identifier: MIT
#pragma once
#include <boost/json/object.hpp>

#include "node/front/native/call.h"

namespace aisfs::native {

/// GET /v1/daemon and /v1/cluster: ?what=smap, snode, bmd, cluster_config, ...
Task<void> serve_cluster(Call& call);

/// GET /v1/health: 200 with uptimes. Needs no identity.
Task<void> serve_health(http::Exchange& exchange, std::int64_t started_ns);

/// The map of the call in AIStore's words.
boost::json::object smap_json(const Call& call);
boost::json::object bmd_json(const ClusterMap& map, const auth::Identity& who);

}  // namespace aisfs::native
