// SPDX-License-Identifier: MIT
// The mountpaths of targets, as people and programs read them.
#pragma once
#include <string>
#include <vector>

#include "aisfs/cli/session.h"
#include "common/model/mountpath.h"

namespace aisfs::cli {

/// A target and what it says of its mountpaths, or why it says nothing.
struct TargetStorage {
  NodeInfo node;
  Result<StorageInfo> says;
};

/// Asks these targets at once; one that does not answer within 5 s has said nothing.
Task<std::vector<TargetStorage>> ask_storage(Session& s, std::vector<NodeInfo> targets);

Table storage_table(const std::vector<TargetStorage>& targets);
JsonArray storage_json(const std::vector<TargetStorage>& targets);
/// What an administrator has to know or to do, a line each: targets that are silent, mountpaths
/// that have failed or lack, names that move.
std::vector<std::string> storage_remarks(const std::vector<TargetStorage>& targets);
/// Of these the ones about failed and missing mountpaths.
std::vector<std::string> storage_alerts(const std::vector<TargetStorage>& targets);

}  // namespace aisfs::cli
