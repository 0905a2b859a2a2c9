// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>

#include "common/client/object_api.h"
#include "common/model/bucket.h"

namespace aisfs::target {

/// The durability that counts: a request may raise the bucket's level; only the mount may lower it,
/// down to the level of its close.
inline Durability level_of(const Bucket& bucket, Durability asked, bool lower) {
  return std::max(asked, lower ? bucket.props.close_level : bucket.props.write_level);
}

/// Of a rename by a file system: what its close promises.
inline Durability posix_level_of(const Bucket& bucket) {
  return std::min(bucket.props.close_level, bucket.props.write_level);
}

/// Of changes of a file system that carry no bytes (attributes, directories, reservations):
/// as on a local disk they wait for nothing, unless close itself
/// promises durable names.
inline Durability name_level_of(const Bucket& bucket) {
  return posix_level_of(bucket) == Durability::kFull ? Durability::kFull : Durability::kNone;
}

}  // namespace aisfs::target
