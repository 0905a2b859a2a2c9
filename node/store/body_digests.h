// SPDX-License-Identifier: MIT
#pragma once
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/base/hash.h"
#include "common/client/object_api.h"
#include "node/store/block_hashes.h"

namespace aisfs::store {

/// Hashes of a body as it passes: xxh3 of each 1 MiB block always, MD5 and the checksums of
/// protocols only when somebody asks for them. Call from a thread that may be busy for a while.
class BodyDigests {
 public:
  BodyDigests(bool want_md5, const ExpectedChecksums& expected);

  void update(ConstBytes bytes);

  struct Sums {
    BlockHashes hashes;
    std::string md5;  // raw; empty when not asked for
  };
  /// bad_checksum when the body is not what was expected; the object is used up.
  Result<Sums> finish();

 private:
  Status check(const std::string& name, const std::string& raw, const std::string& wanted) const;

  const ExpectedChecksums expected_;
  std::optional<Digest> md5_, sha1_, sha256_;
  std::optional<std::uint32_t> crc32_, crc32c_;
  std::optional<std::uint64_t> crc64_;
  BlockHasher blocks_;
};

}  // namespace aisfs::store
