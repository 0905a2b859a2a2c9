// SPDX-License-Identifier: MIT
#pragma once
#include "common/s3/body_check.h"
#include "node/front/s3/headers.h"

namespace aisfs::front::s3 {

/// The body of an upload with all that its sender promised about it.
class UploadBody {
 public:
  /// Fails with InvalidDigest, InvalidRequest, EntityTooLarge (over `bytes_max`).
  static Result<std::unique_ptr<UploadBody>> open(Request& r, std::uint64_t bytes_max);

  /// Nobody reads a body of which it is known that it is empty: checks it nevertheless.
  Task<Status> check_empty();

  /// Verifies signature, hash and announced checksums before its last byte is given out.
  BodySource& source() { return checked_; }
  /// Decoded length, if known.
  std::optional<std::uint64_t> size() const { return size_; }
  /// For the owner: the MD5, and the names of all checksums; values that travel behind the body
  /// are "".
  const std::optional<std::string>& md5() const { return md5_; }
  const std::map<std::string, std::string>& checksums() const { return checksums_; }

 private:
  UploadBody(Request& r, std::map<std::string, std::string> announced);

  auth::VerifiedBody verified_;
  aisfs::s3::ChecksummedSource checked_;
  std::optional<std::uint64_t> size_;
  std::optional<std::string> md5_;
  std::map<std::string, std::string> checksums_;
};

}  // namespace aisfs::front::s3
