// SPDX-License-Identifier: MIT
#pragma once
#include <string>

#include "common/auth/verifier.h"
#include "common/client/jobs_api.h"
#include "common/client/object_api.h"
#include "common/http/server.h"
#include "node/target/local_target.h"

namespace aisfs::native {

/// What the front translates to; all of it outlives the handler.
struct NativeFrontDeps {
  ObjectApi& objects;         // the Router: any name, authorised
  ObjectApi* here = nullptr;  // this node's own disks, authorised; null on a gateway
  AdminApi& admin;
  MapSource& maps;
  const auth::Verifier& verifier;
  std::string node_id;
  std::int64_t started_ns = 0;            // unix time; for uptimes
  target::LocalTarget* stored = nullptr;  // this node's own objects; null on a gateway
  bool tls_inside = false;                // between nodes
  JobsApi* jobs = nullptr;                // null in tests that need none
};

/// The handler of the public listener for everything under /v1/: AIStore's REST API and the
/// extensions of aisfs-api(7). Answers 404 to any other path.
http::Handler make_native_handler(NativeFrontDeps deps);

}  // namespace aisfs::native
