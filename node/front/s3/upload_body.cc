// SPDX-License-Identifier: MIT
#include "node/front/s3/upload_body.h"

namespace aisfs::front::s3 {

UploadBody::UploadBody(Request& r, std::map<std::string, std::string> announced)
    : verified_(r.exchange.body(), r.verified.body), checked_(verified_.source(), announced) {
  checksums_ = std::move(announced);
  for (const auto& name : trailing_checksums_of(r)) checksums_[name] = "";
}

Result<std::unique_ptr<UploadBody>> UploadBody::open(Request& r, std::uint64_t bytes_max) {
  TRY(auto announced, checksums_of(r));
  TRY(auto md5, content_md5_of(r));
  std::unique_ptr<UploadBody> body(new UploadBody(r, std::move(announced)));
  body->md5_ = std::move(md5);
  body->size_ = r.verified.body.kind == auth::BodyAuth::Kind::kChunked
                    ? std::optional(r.verified.body.chunked.decoded_length)
                    : r.exchange.content_length();
  if (body->size_ && *body->size_ > bytes_max) return fail("EntityTooLarge");
  return body;
}

Task<Status> UploadBody::check_empty() {
  if (size_ != std::uint64_t{0}) co_return Status{};
  CO_TRY(const std::string none, co_await read_all(checked_, 0));
  static_cast<void>(none);
  co_return Status{};
}

}  // namespace aisfs::front::s3
