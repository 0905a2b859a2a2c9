// SPDX-License-Identifier: MIT
#pragma once
#include <string>

#include "aisfs/cli/session.h"

namespace aisfs::cli {

/// Whether the map shows the change of the node as carried out: names that it moves have moved.
bool is_carried_out(const ClusterMap& map, const std::string& node, NodeAction action);

/// Waits for that, with a progress bar on a terminal. timed_out at the deadline; not_found when the
/// node that was to come back has left.
Task<Status> wait_for_names(Session& s, std::string node, NodeAction action, Deadline deadline);

}  // namespace aisfs::cli
