// SPDX-License-Identifier: MIT
// Buckets themselves: create, head, delete, and the little that can be asked of them.
#include "common/s3/xml_reader.h"
#include "common/s3/xml_writer.h"
#include "node/front/s3/acl.h"
#include "node/front/s3/request.h"

namespace aisfs::front::s3 {
namespace {

constexpr std::size_t kConfigurationBytesMax = 64 * 1024;

Task<Status> check_location(Request& r) {
  CO_TRY(const std::string text, co_await read_body(r, kConfigurationBytesMax));
  if (text.empty()) co_return Status{};
  const auto root = aisfs::s3::parse_xml(text);
  if (!root.ok() || root->name != "CreateBucketConfiguration") co_return fail("MalformedXML");
  const std::string_view location = root->get("LocationConstraint");
  if (location.empty() || location == r.deps.verifier.options().region) co_return Status{};
  co_return fail("InvalidLocationConstraint");
}

/// S3's answer to the creation of a bucket that is there: in its first region, and only there,
/// creating one's own bucket again succeeds.
Task<Result<Reply>> answer_existing(Request& r, Bucket bucket) {
  if (bucket.owner != r.who().user()) co_return fail("BucketAlreadyExists");
  if (r.deps.verifier.options().region != "us-east-1") co_return fail("BucketAlreadyOwnedByYou");
  co_return empty_reply(200);
}

}  // namespace

Answer create_bucket(Request& r) {
  if (auto valid = validate_s3_bucket_name(r.bucket); !valid.ok()) {
    co_return fail("InvalidBucketName", valid.error().what());
  }
  BucketProps props;
  CO_TRY(props.acl, acl_text_of(r, r.fields()));
  CO_CHECK_OK(co_await check_location(r));
  auto created = co_await r.deps.admin.create_bucket(r.context(), r.bucket_name(), std::move(props));
  Reply reply = empty_reply(200);
  if (!created.ok()) {
    if (created.error().code() != Errc::already_exists) co_return std::move(created.error());
    auto bucket = co_await r.deps.admin.find_bucket(r.context(), r.bucket_name());
    if (!bucket.ok()) {
      if (bucket.error() == Errc::permission_denied) co_return fail("BucketAlreadyExists");
      co_return std::move(bucket.error());
    }
    CO_TRY(reply, co_await answer_existing(r, std::move(*bucket)));
  }
  reply.head.fields.set("Location", "/" + r.bucket);
  co_return reply;
}

Answer head_bucket(Request& r) {
  Reply reply = empty_reply(200);
  reply.head.fields.set("x-amz-bucket-region", r.deps.verifier.options().region);
  co_return reply;
}

Answer delete_bucket(Request& r) {
  CO_CHECK_OK(co_await r.deps.admin.destroy_bucket(r.context(), r.bucket_name(), false));
  co_return empty_reply(204);
}

Answer get_location(Request& r) {
  const std::string& region = r.deps.verifier.options().region;
  std::string xml = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<LocationConstraint xmlns=\"";
  xml.append(aisfs::s3::kS3Namespace).append("\">");
  if (region != "us-east-1") xml.append(aisfs::s3::xml_escape(region));
  co_return xml_reply(xml + "</LocationConstraint>");
}

}  // namespace aisfs::front::s3
