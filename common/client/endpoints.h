// SPDX-License-Identifier: MIT
#pragma once
#include <string_view>
#include <vector>

#include "common/model/cluster_map.h"

namespace aisfs {

/// Public addresses of a cluster as a user gives them.
struct GivenEndpoints {
  std::vector<Endpoint> nodes;
  bool tls = false;

  /// "host:port", "http://host:port" or "https://host:port", separated by commas. A cluster speaks
  /// one of the two, so invalid_argument for a mixture.
  static Result<GivenEndpoints> parse(std::string_view list);
};

}  // namespace aisfs
