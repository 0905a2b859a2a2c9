// SPDX-License-Identifier: MIT
// Bearer tokens: JWT, HS256, made and understood by this cluster only.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "common/async/task.h"
#include "common/auth/cluster_key.h"

namespace aisfs::auth {

inline constexpr Duration kTokenLifetimeMax = std::chrono::hours(24 * 90);

/// What a token says. The user's rights are looked up when it is used, so a removed user's tokens
/// are worth nothing.
struct TokenClaims {
  std::string user;      // sub
  std::string cluster;   // aud: the cluster's uuid
  std::int64_t expires_s = 0;
  std::string id;        // jti
};

/// A token for `user` from now on. invalid_argument for a lifetime that is not positive or over
/// kTokenLifetimeMax.
Result<std::string> create_token(const ClusterKey& key,
                                 std::string_view cluster_uuid,
                                 std::string_view user,
                                 Duration lifetime,
                                 std::int64_t now_ns);

/// unauthenticated unless the token is HS256 by `key`, of this cluster, complete and not expired.
Result<TokenClaims> verify_token(const ClusterKey& key,
                                 std::string_view cluster_uuid,
                                 std::string_view token,
                                 std::int64_t now_ns);

}  // namespace aisfs::auth
