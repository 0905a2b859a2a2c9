// SPDX-License-Identifier: MIT
#pragma once
#include <string>

#include "common/auth/cluster_key.h"
#include "common/base/unique_fd.h"
#include "node/config.h"

namespace aisfs::node {

/// Makes the folder if it is missing, and keeps other nodes out of it while the result lives. busy:
/// one runs on it.
Result<UniqueFd> lock_folder(const std::string& dir);

/// The key of the configuration, or that of the data folder; a new one where the cluster is made.
Result<auth::ClusterKey> cluster_key(const NodeConfig& config);

}  // namespace aisfs::node
