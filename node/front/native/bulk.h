// SPDX-License-Identifier: MIT
#pragma once
#include "node/front/native/call.h"

namespace aisfs::native {

/// True when the request has one of the headers Ais-Get, Ais-Put, Ais-Part, Ais-Patch: it comes
/// from our own client or from another node.
bool is_bulk(const Call& call);

/// Bulk bytes of /v1/objects with their options in headers (common/wire/data.h).
Task<void> serve_bulk(Call& call, ObjectName name);

}  // namespace aisfs::native
