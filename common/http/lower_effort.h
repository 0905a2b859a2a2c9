// SPDX-License-Identifier: MIT
#pragma once
#include "common/http/stream.h"

namespace aisfs::http {

// Connections of background work (async/background.h) carry the mark of Lower Effort (RFC 8622:
// DSCP 1). Networks that know it send everything else first; a listener knows by it who may wait.
// Where a mark was taken off on the way they are served like all others.

/// Of a socket that is open and not connected yet.
void mark_lower_effort(Socket& socket);
/// Of a socket that will listen: what it accepts can be asked below.
void keep_marks(int listener);
/// Whether the client had marked the connection, which such a listener has accepted.
bool is_lower_effort(int accepted);

}  // namespace aisfs::http
