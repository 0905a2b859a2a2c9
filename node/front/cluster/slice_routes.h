// SPDX-License-Identifier: MIT
#pragma once
#include "node/front/native/call.h"
#include "node/target/local_target.h"

namespace aisfs::cluster {

/// True for the name of a method of target::SlicePeers.
bool is_slice_method(std::string_view method);

/// Answers it from this node's target.
Task<void> serve_slices(native::Call& call, std::string_view method, target::LocalTarget& self);

}  // namespace aisfs::cluster
