// SPDX-License-Identifier: MIT
// Files of a node's data folder, whole or not at all. Blocking.
#pragma once
#include <string>

#include "common/base/result.h"

namespace aisfs::control {

/// Mode 0600; synced with its name before it returns.
Status write_private_file(const std::string& path, const std::string& bytes);
/// not_found when it is not there.
Result<std::string> read_private_file(const std::string& path);

}  // namespace aisfs::control
