// SPDX-License-Identifier: MIT
#pragma once
#include "common/auth/identity.h"
#include "common/model/cluster_map.h"

namespace aisfs::control::ops {

inline Status need_user(const auth::Identity& who) {
  if (!who.is_anonymous()) return {};
  return Error(Errc::unauthenticated, "sign the request with the keys of a user");
}

inline Status need_admin(const auth::Identity& who) {
  CHECK_OK(need_user(who));
  if (who.is_admin()) return {};
  return Error(Errc::permission_denied, "only an administrator may do this");
}

/// The bucket if `who` may change it: its owner or an administrator.
inline Result<Bucket*> own_bucket(ClusterMap& map, const BucketName& name, const auth::Identity& who) {
  CHECK_OK(need_user(who));
  const auto it = map.buckets.find(name.uname());
  if (it == map.buckets.end()) {
    return Error(Errc::not_found, "bucket \"" + name.display() + "\" does not exist");
  }
  if (!who.is_admin() && it->second.owner != who.user()) {
    return Error(Errc::permission_denied, "bucket \"" + name.display() + "\" belongs to another user");
  }
  return &it->second;
}

inline constexpr std::uint32_t kCopiesMax = 17;  // as many as the most parity slices, and one
inline constexpr std::uint32_t kDiskCopiesMax = 8;

/// What no bucket may have, whoever asks.
inline Status check_props(const BucketProps& props) {
  if (props.copies < 1 || props.copies > kCopiesMax) {
    return Error(Errc::invalid_argument,
                 "copies of a bucket must be 1 to " + std::to_string(kCopiesMax));
  }
  if (props.disk_copies < 1 || props.disk_copies > kDiskCopiesMax) {
    return Error(Errc::invalid_argument,
                 "disk_copies of a bucket must be 1 to " + std::to_string(kDiskCopiesMax));
  }
  const ErasureProps& erasure = props.erasure;
  const bool half = (erasure.data == 0) != (erasure.parity == 0);
  if (half || std::max(erasure.data, erasure.parity) > ErasureProps::kMost) {
    return Error(Errc::invalid_argument,
                 "a bucket is split into 1 to " + std::to_string(ErasureProps::kMost) +
                     " data slices and as many parity slices at most, or not at all");
  }
  std::size_t bytes = 0;
  for (const auto& [name, value] : props.s3) bytes += name.size() + value.size();
  if (bytes <= BucketProps::kS3BytesMax) return {};
  return Error(Errc::too_large, "the S3 configurations of a bucket have at most " +
                                    std::to_string(BucketProps::kS3BytesMax) + " bytes");
}

/// What is known of an object that is split survives what its slices do, and so does one that is
/// too small for it.
inline BucketProps with_copies_of_slices(BucketProps props) {
  if (!props.erasure.enabled()) return props;
  props.copies = std::max<std::uint32_t>(props.copies, props.erasure.parity + 1u);
  return props;
}

}  // namespace aisfs::control::ops
