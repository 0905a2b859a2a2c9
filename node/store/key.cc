// SPDX-License-Identifier: MIT
#include "node/store/key.h"

#include "common/placement/hrw.h"

namespace aisfs::store {

Key make_key(BucketId bucket, ObjectName name) {
  const std::uint64_t digest = placement::placement_digest(name);
  return {bucket, std::move(name), digest};
}

}  // namespace aisfs::store
