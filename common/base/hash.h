// SPDX-License-Identifier: MIT
// The hashes of the project by purpose: xxh64 places, xxh3 finds rotten bytes, crc32c finds torn
// records, md5 and sha256 are what protocols ask for. None but sha256/hmac resists an attacker.
#pragma once
#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "common/base/bytes.h"

namespace aisfs {

std::uint64_t xxh64(ConstBytes bytes, std::uint64_t seed = 0);
std::uint64_t xxh3_64(ConstBytes bytes);

/// CRC-32C (Castagnoli), initial value 0, as in RFC 3720; `crc` continues an earlier call.
std::uint32_t crc32c(ConstBytes bytes, std::uint32_t crc = 0);
/// CRC-32 of zlib and of S3's x-amz-checksum-crc32.
std::uint32_t crc32(ConstBytes bytes, std::uint32_t crc = 0);
/// CRC-64/NVME of S3's x-amz-checksum-crc64nvme.
std::uint64_t crc64nvme(ConstBytes bytes, std::uint64_t crc = 0);

/// The raw 32 bytes.
std::string sha256(std::string_view text);
std::string hmac_sha256(std::string_view key, std::string_view text);

/// Equal in time that does not depend on where they differ. Lengths may leak.
bool equal_constant_time(std::string_view a, std::string_view b);

/// A digest over a stream of pieces: md5, sha1, sha256 by OpenSSL.
class Digest {
 public:
  enum class Kind : std::uint8_t { kMd5, kSha1, kSha256 };
  explicit Digest(Kind kind);
  ~Digest();
  Digest(Digest&&) noexcept;
  Digest& operator=(Digest&&) noexcept;

  void update(ConstBytes bytes);
  /// The raw digest; the object is used up.
  std::string finish();

 private:
  struct Free {
    void operator()(void* context) const;
  };
  std::unique_ptr<void, Free> context_;
};

/// Cryptographically strong random bytes.
std::string random_bytes(std::size_t count);

}  // namespace aisfs
