// SPDX-License-Identifier: MIT
#pragma once
#include <optional>
#include <string>

#include "common/async/byte_stream.h"
#include "common/base/hash.h"

namespace aisfs::s3 {

/// A body whose SHA-256 the request's signature promises (x-amz-content-sha256).
///
/// When its length is known, the last bytes are handed out only after the hash was found right;
/// otherwise the end is. Fails with bad_checksum.
class HashedSource final : public BodySource {
 public:
  /// `inner` outlives this; `sha256_hex` has 64 digits.
  HashedSource(BodySource& inner, std::string sha256_hex);

  Task<Result<std::size_t>> read(MutableBytes into) override;
  std::optional<std::uint64_t> remaining() const override { return inner_.remaining(); }

 private:
  Status check();

  BodySource& inner_;
  std::string expected_;
  Digest digest_;
  bool checked_ = false;
};

}  // namespace aisfs::s3
