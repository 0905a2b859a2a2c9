// SPDX-License-Identifier: MIT
// S3's additional checksums: x-amz-checksum-{crc32,crc32c,crc64nvme,sha1,sha256}, in base64.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "common/base/hash.h"

namespace aisfs::s3 {

enum class ChecksumKind : std::uint8_t { kCrc32, kCrc32c, kCrc64Nvme, kSha1, kSha256 };

/// "crc32" ... of any case; nullopt for none of them.
std::optional<ChecksumKind> parse_checksum_kind(std::string_view name);
/// Lower case, as in headers and in ObjectInfo::checksums.
std::string_view name_of(ChecksumKind kind);
/// Raw bytes of a value.
std::size_t size_of(ChecksumKind kind);

/// One checksum over a stream of pieces.
class Checksum {
 public:
  explicit Checksum(ChecksumKind kind);

  ChecksumKind kind() const { return kind_; }
  void update(ConstBytes bytes);
  /// Raw, big endian, as S3 puts it into base64. The object is used up.
  std::string finish();

 private:
  ChecksumKind kind_;
  std::variant<std::uint32_t, std::uint64_t, Digest> state_;
};

}  // namespace aisfs::s3
