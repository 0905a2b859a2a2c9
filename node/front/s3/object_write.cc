// SPDX-License-Identifier: MIT
// PUT of an object.
#include "node/front/s3/headers.h"
#include "node/front/s3/mapping.h"
#include "node/front/s3/upload_body.h"
#include "node/front/s3/versioning.h"

namespace aisfs::front::s3 {
namespace {

// S3 stops at 5 GiB a PUT; nothing here asks for that, and files come through other doors too.
constexpr std::uint64_t kObjectBytesMax = std::uint64_t{5} << 40;

/// If-Match on a name that nobody has is not a failed precondition but a missing key.
Task<Error> refused_condition(Request& r, Error error) {
  const bool needed_one = r.fields().has("if-match");
  if (!needed_one || error.code() != Errc::precondition_failed) co_return error;
  const auto there = co_await r.deps.objects.head(r.context(), r.object(), Conditions{});
  if (!there.ok() && there.error() == Errc::not_found) co_return fail("NoSuchKey");
  co_return error;
}

/// The content of a link, which is its target too; nullopt for what is too large to be one.
Task<Result<std::optional<std::string>>> link_target(UploadBody& body) {
  if (!body.size() || *body.size() > kLinkBytesMax) co_return std::optional<std::string>();
  CO_TRY(std::string target, co_await read_all(body.source(), kLinkBytesMax));
  if (target.size() != *body.size()) co_return fail("IncompleteBody");
  co_return std::optional(std::move(target));
}

}  // namespace

Answer put_object(Request& r) {
  CO_TRY(PutOptions options, put_options_of(r));
  options.conditions = conditions_of(r.fields(), "");
  CO_TRY(const auto body, UploadBody::open(r, kObjectBytesMax));
  options.size = body->size();
  options.checksums = body->checksums();
  ExpectedChecksums expected;
  expected.md5 = body->md5();
  CO_CHECK_OK(co_await body->check_empty());
  std::optional<StringSource> link;
  if (is_link(options.posix)) {
    CO_TRY(const auto target, co_await link_target(*body));
    make_link(*options.posix, target.value_or(""));
    if (target) link.emplace(*target);
  }
  BodySource& source = link ? static_cast<BodySource&>(*link) : body->source();
  auto info = co_await r.deps.objects.put(r.bulk_context(), r.object(), std::move(options),
                                          std::move(expected), source);
  if (!info.ok()) {
    if (info.error() == Errc::not_modified) co_return fail("PreconditionFailed");
    co_return co_await refused_condition(r, std::move(info.error()));
  }
  Reply reply = empty_reply(200);
  reply.head.fields.set("ETag", quoted(info->etag));
  add_new_version(*info, reply.head.fields);
  add_checksum_headers(*info, reply.head.fields);
  co_return reply;
}

}  // namespace aisfs::front::s3
