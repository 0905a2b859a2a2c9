// SPDX-License-Identifier: MIT
#pragma once
#include "node/front/native/call.h"
#include "node/target/local_target.h"

namespace aisfs::cluster {

/// True for the path of a method of target::Peers.
bool is_peer_method(const http::Target& target);

/// Answers it from this node's target.
Task<void> serve_peer(native::Call& call, target::LocalTarget& self);

}  // namespace aisfs::cluster
