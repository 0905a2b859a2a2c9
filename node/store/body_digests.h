// SPDX-License-Identifier: MIT
#pragma once
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/base/block_hashes.h"
#include "common/base/hash.h"
#include "common/client/object_api.h"

namespace aisfs::store {

/// Hashes of a body as it passes: xxh3 of each 1 MiB block always, MD5 and the checksums of
/// protocols only when somebody asks for them. Call from a thread that may be busy for a while.
class BodyDigests {
 public:
  /// A named checksum with the value "" is computed and compared with nothing.
  BodyDigests(bool want_md5, const ExpectedChecksums& expected);

  void update(ConstBytes bytes);

  struct Sums {
    BlockHashes hashes;
    std::string md5;  // raw; empty when not asked for
    std::map<std::string, std::string> named;  // of the names that were given: base64
  };
  /// bad_checksum when the body is not what was expected; the object is used up.
  Result<Sums> finish();

 private:
  /// The raw value of a checksum that was asked for; nullopt for names that are none.
  std::optional<std::string> raw_of(std::string_view name, const std::string& md5);

  const ExpectedChecksums expected_;
  std::optional<Digest> md5_, sha1_, sha256_;
  std::optional<std::uint32_t> crc32_, crc32c_;
  std::optional<std::uint64_t> crc64_;
  BlockHasher blocks_;
};

}  // namespace aisfs::store
