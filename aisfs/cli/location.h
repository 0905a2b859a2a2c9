// SPDX-License-Identifier: MIT
#pragma once
#include <string>
#include <string_view>

#include "common/model/object.h"

namespace aisfs::cli {

/// What a user means by "ais://bucket/some/key": a bucket, and a key or prefix that may be empty.
struct Location {
  BucketName bucket;
  std::string key;

  bool operator==(const Location&) const = default;

  ObjectName object() const { return {bucket, key}; }
  std::string display() const { return bucket.display() + (key.empty() ? "" : "/" + key); }
};

/// "bucket", "bucket/key", "ais://bucket/key", "s3://bucket/key" (what S3 tools call the same).
/// invalid_argument, with the forms that are understood, for anything else. The key is taken as it
/// is: "a//b" has an empty component.
Result<Location> parse_location(std::string_view text);

/// As parse_location, and the key must be there.
Result<Location> parse_object(std::string_view text);

/// As parse_location, and there must be no key. A single '/' at the end is forgiven.
Result<BucketName> parse_bucket(std::string_view text);

/// The part of a key after its last '/', not counting one at its end.
std::string base_name(std::string_view key);

}  // namespace aisfs::cli
