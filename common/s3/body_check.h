// SPDX-License-Identifier: MIT
#pragma once
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/async/byte_stream.h"
#include "common/s3/checksum.h"

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

/// A body whose additional checksums (by name, in base64) were announced in its header; checked as
/// HashedSource does. A value that is not even base64 is a wrong one.
class ChecksummedSource final : public BodySource {
 public:
  /// `inner` outlives this; names that are no checksum are ignored.
  ChecksummedSource(BodySource& inner, std::map<std::string, std::string> expected);

  Task<Result<std::size_t>> read(MutableBytes into) override;
  std::optional<std::uint64_t> remaining() const override { return inner_.remaining(); }

 private:
  Status check();

  BodySource& inner_;
  std::map<std::string, std::string> expected_;
  std::vector<Checksum> checksums_;
  bool checked_ = false;
};

}  // namespace aisfs::s3
