// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>
#include <string>

#include "common/model/object.h"

namespace aisfs::store {

/// A name as the store finds it: the bucket's id (a re-created bucket of the same name shares
/// nothing with its predecessor), the name, and the digest that picks the mountpath.
struct Key {
  BucketId bucket;
  ObjectName name;
  std::uint64_t digest = 0;
  /// What a change of the name does with the version that it replaces or removes (versions.h).
  Versioning versioning = Versioning::kOff;

  const std::string& key() const { return name.key; }
  std::string display() const { return name.display(); }
};

/// With the digest of common/placement.
Key make_key(BucketId bucket, ObjectName name);

}  // namespace aisfs::store
