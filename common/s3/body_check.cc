// SPDX-License-Identifier: MIT
#include "common/s3/body_check.h"

#include "common/base/text.h"

namespace aisfs::s3 {

HashedSource::HashedSource(BodySource& inner, std::string sha256_hex)
    : inner_(inner), expected_(std::move(sha256_hex)), digest_(Digest::Kind::kSha256) {}

Task<Result<std::size_t>> HashedSource::read(MutableBytes into) {
  if (checked_) co_return std::size_t{0};
  CO_TRY(const std::size_t n, co_await inner_.read(into));
  digest_.update(into.first(n));
  // Whoever knows the length may not come back for the end: check before the last bytes go out.
  if (n == 0 || inner_.remaining() == std::uint64_t{0}) CO_CHECK_OK(check());
  co_return n;
}

Status HashedSource::check() {
  checked_ = true;
  if (!equal_constant_time(to_hex(as_bytes(digest_.finish())), expected_)) {
    return Error(Errc::bad_checksum, "the body is not the one whose SHA-256 was signed");
  }
  return {};
}

}  // namespace aisfs::s3
