// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>

#include "common/model/bucket.h"

namespace aisfs::target {

/// The durability that counts: a request may raise the bucket's level; only the mount may lower it,
/// down to the level of its close.
inline Durability level_of(const Bucket& bucket, Durability asked, bool lower) {
  return std::max(asked, lower ? bucket.props.close_level : bucket.props.write_level);
}

/// Of changes that only a file system makes (attributes, directories): what its close promises;
/// fsync raises it.
inline Durability posix_level_of(const Bucket& bucket) {
  return std::min(bucket.props.close_level, bucket.props.write_level);
}

}  // namespace aisfs::target
