// SPDX-License-Identifier: MIT
#include "node/store/body_digests.h"

#include "common/base/text.h"

namespace aisfs::store {
namespace {

/// Big endian, as protocols print checksums.
template <class T>
std::string big_endian(T value) {
  std::string raw(sizeof(T), '\0');
  for (std::size_t i = 0; i < sizeof(T); ++i) {
    raw[i] = static_cast<char>(value >> (8 * (sizeof(T) - 1 - i)));
  }
  return raw;
}

}  // namespace

BodyDigests::BodyDigests(bool want_md5, const ExpectedChecksums& expected) : expected_(expected) {
  if (want_md5 || expected.md5) md5_.emplace(Digest::Kind::kMd5);
  for (const auto& [name, value] : expected.named) {
    if (name == "sha1") sha1_.emplace(Digest::Kind::kSha1);
    if (name == "sha256") sha256_.emplace(Digest::Kind::kSha256);
    if (name == "crc32") crc32_ = 0;
    if (name == "crc32c") crc32c_ = 0;
    if (name == "crc64nvme") crc64_ = 0;
    if (name == "md5" && !md5_) md5_.emplace(Digest::Kind::kMd5);
  }
}

void BodyDigests::update(ConstBytes bytes) {
  if (md5_) md5_->update(bytes);
  if (sha1_) sha1_->update(bytes);
  if (sha256_) sha256_->update(bytes);
  if (crc32_) crc32_ = crc32(bytes, *crc32_);
  if (crc32c_) crc32c_ = crc32c(bytes, *crc32c_);
  if (crc64_) crc64_ = crc64nvme(bytes, *crc64_);
  blocks_.update(bytes);
}

namespace {

Status check(const std::string& name, ConstBytes raw, const std::string& wanted) {
  if (wanted.empty() || wanted == to_base64(raw) || iequals(wanted, to_hex(raw))) return {};
  return Error(Errc::bad_checksum, "the body's " + name + " is " + to_base64(raw) +
                                       ", the sender promised " + wanted);
}

}  // namespace

std::optional<std::string> BodyDigests::raw_of(std::string_view name, const std::string& md5) {
  if (name == "md5") return md5;
  if (name == "sha1") return sha1_->finish();
  if (name == "sha256") return sha256_->finish();
  if (name == "crc32") return big_endian(*crc32_);
  if (name == "crc32c") return big_endian(*crc32c_);
  if (name == "crc64nvme") return big_endian(*crc64_);
  return std::nullopt;
}

Result<BodyDigests::Sums> BodyDigests::finish() {
  Sums sums{.hashes = blocks_.finish(), .md5 = md5_ ? md5_->finish() : std::string(), .named = {}};
  if (expected_.md5 && *expected_.md5 != sums.md5) {
    return Error(Errc::bad_checksum, "the body's MD5 is " + to_hex(as_bytes(sums.md5)) +
                                         ", the sender promised " + to_hex(as_bytes(*expected_.md5)));
  }
  for (const auto& [name, wanted] : expected_.named) {
    const auto raw = raw_of(name, sums.md5);
    if (!raw) continue;
    CHECK_OK(check(name, as_bytes(*raw), wanted));
    sums.named[name] = to_base64(as_bytes(*raw));
  }
  return sums;
}

}  // namespace aisfs::store
