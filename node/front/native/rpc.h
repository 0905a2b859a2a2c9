// SPDX-License-Identifier: MIT
#pragma once
#include "node/front/native/call.h"

namespace aisfs::native {

/// POST /v1/x/<method>: an envelope in, an envelope out (common/client/messages.h).
Task<void> serve_rpc(Call& call);

/// True for the path of a method about objects, names or uploads: what a node without disks cannot
/// answer by itself.
bool is_object_method(const http::Target& target);

}  // namespace aisfs::native
