// SPDX-License-Identifier: MIT
#pragma once
#include <functional>

#include "common/auth/verifier.h"
#include "common/http/server.h"
#include "node/control/admin_service.h"
#include "node/control/job_service.h"

namespace aisfs::control {

/// All of it outlives the handler.
struct ControlHandlerDeps {
  NodeMapSource& maps;
  const auth::Verifier& verifier;
  AdminService& admin;
  ControlPlane* plane = nullptr;  // on gateways
  MetaStore* store = nullptr;     // on the gateway with the embedded store: served to the others
  /// Returns when nothing goes on here by an older map, or after a while. Null: nothing does.
  std::function<Task<void>(Epoch epoch)> in_force;
  std::string node_id = {};
  JobService* jobs = nullptr;  // on gateways
};

/// The handler of the control listener: POST /v1/x/<method> of common/wire/control.h, from nodes
/// only. Anything else is 404. A method that this node's role does not have is `unsupported`.
http::Handler make_control_handler(ControlHandlerDeps deps);

}  // namespace aisfs::control
