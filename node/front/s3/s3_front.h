// SPDX-License-Identifier: MIT
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "common/auth/verifier.h"
#include "common/client/object_api.h"
#include "common/http/server.h"

namespace aisfs::front::s3 {

/// What the front works with; all of it outlives the handler.
struct S3FrontDeps {
  ObjectApi& objects;
  AdminApi& admin;
  const auth::Verifier& verifier;
  /// Display names of owners; without it owners are shown by their ids.
  std::function<MapSnapshot()> map;
  std::string prefix;                // "/s3" on the public listener, "" on the S3 one
  std::vector<std::string> domains;  // "s3.example.org": bucket.s3.example.org is a bucket's host
  Duration timeout = std::chrono::seconds(60);     // of requests without bulk data
  Duration bulk_timeout = std::chrono::hours(12);  // of the others, which have a minimum pace
};

/// Serves S3 requests below `prefix`. Needs no state but its dependencies; thread-safe.
http::Handler make_s3_handler(S3FrontDeps deps);

}  // namespace aisfs::front::s3
