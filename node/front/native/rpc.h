// SPDX-License-Identifier: MIT
#pragma once
#include "node/front/native/call.h"

namespace aisfs::native {

/// POST /v1/x/<method>: an envelope in, an envelope out (common/client/messages.h).
Task<void> serve_rpc(Call& call);

}  // namespace aisfs::native
