// SPDX-License-Identifier: MIT
// Redirects to the owner of a name, as AIStore's clients expect them, and the tickets that let
// the owner know who was redirected: HTTP clients do not repeat their credentials to another port.
//
//   Location: http://<owner>/v1/objects/b/o?<query>&pid=<node>&utm=<ns>&ticket=<signed identity>
//
// It is https:// where the request came by TLS.
// A ticket is the Ais-Node-Auth of exactly this method and target (common/auth/node_auth.h),
// percent-encoded; it is good for half a minute.
#pragma once
#include <optional>

#include "node/front/native/call.h"

namespace aisfs::native {

/// Answers 301 (GET) or 307 from the header alone; a pending body is not read, the connection is
/// closed behind it.
Task<void> reply_redirect(const Call& call, NodeInfo owner);

/// The request as it was before its ticket was added, with the ticket as Ais-Node-Auth; nullopt
/// when the target has no ticket.
std::optional<http::RequestHead> head_of_ticket(const http::RequestHead& head);

}  // namespace aisfs::native
