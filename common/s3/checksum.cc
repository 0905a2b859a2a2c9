// SPDX-License-Identifier: MIT
#include "common/s3/checksum.h"

#include <array>

#include "common/base/text.h"

namespace aisfs::s3 {
namespace {

struct Kind {
  std::string_view name;
  std::size_t size;
};
constexpr std::array<Kind, 5> kKinds = {
    {{"crc32", 4}, {"crc32c", 4}, {"crc64nvme", 8}, {"sha1", 20}, {"sha256", 32}}};

template <class Int>
std::string big_endian(Int value) {
  std::string out(sizeof value, '\0');
  for (std::size_t i = sizeof value; i-- > 0; value >>= 8) out[i] = static_cast<char>(value & 0xff);
  return out;
}

std::variant<std::uint32_t, std::uint64_t, Digest> initial_state(ChecksumKind kind) {
  switch (kind) {
    case ChecksumKind::kCrc32:
    case ChecksumKind::kCrc32c: return std::uint32_t{0};
    case ChecksumKind::kCrc64Nvme: return std::uint64_t{0};
    case ChecksumKind::kSha1: return Digest(Digest::Kind::kSha1);
    case ChecksumKind::kSha256: break;
  }
  return Digest(Digest::Kind::kSha256);
}

}  // namespace

std::optional<ChecksumKind> parse_checksum_kind(std::string_view name) {
  for (std::size_t i = 0; i < kKinds.size(); ++i) {
    if (iequals(name, kKinds[i].name)) return static_cast<ChecksumKind>(i);
  }
  return std::nullopt;
}

std::string_view name_of(ChecksumKind kind) { return kKinds[static_cast<std::size_t>(kind)].name; }
std::size_t size_of(ChecksumKind kind) { return kKinds[static_cast<std::size_t>(kind)].size; }

Checksum::Checksum(ChecksumKind kind) : kind_(kind), state_(initial_state(kind)) {}

void Checksum::update(ConstBytes bytes) {
  if (auto* crc = std::get_if<std::uint32_t>(&state_)) {
    *crc = kind_ == ChecksumKind::kCrc32 ? crc32(bytes, *crc) : crc32c(bytes, *crc);
  } else if (auto* wide = std::get_if<std::uint64_t>(&state_)) {
    *wide = crc64nvme(bytes, *wide);
  } else {
    std::get<Digest>(state_).update(bytes);
  }
}

std::string Checksum::finish() {
  if (const auto* crc = std::get_if<std::uint32_t>(&state_)) return big_endian(*crc);
  if (const auto* wide = std::get_if<std::uint64_t>(&state_)) return big_endian(*wide);
  return std::get<Digest>(state_).finish();
}

}  // namespace aisfs::s3
