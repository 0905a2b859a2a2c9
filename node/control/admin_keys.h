// SPDX-License-Identifier: MIT
#pragma once
#include <string>

#include "common/auth/seal.h"

namespace aisfs::control {

/// The keys of the first administrator: those in the file, or new ones, which are in it (mode 0600,
/// lines for a shell) when this returns. So a start that was interrupted before the user was made
/// goes on with the keys that somebody may have read already. Blocking.
Result<s3::KeyPair> admin_keys(const std::string& file);

}  // namespace aisfs::control
