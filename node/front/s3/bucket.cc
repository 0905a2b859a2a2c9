// SPDX-License-Identifier: MIT
// Buckets themselves: create, head, delete, and the little that can be asked of them.
#include <algorithm>
#include <cctype>

#include "common/s3/xml_reader.h"
#include "common/s3/xml_writer.h"
#include "node/front/s3/acl.h"
#include "node/front/s3/request.h"

namespace aisfs::front::s3 {
namespace {

constexpr std::size_t kConfigurationBytesMax = 64 * 1024;
constexpr std::size_t kRegionBytesMax = 63;

constexpr const char* kLocation = "location";  // in BucketProps::s3

bool is_region(std::string_view text) {
  const auto belongs = [](unsigned char c) { return std::isalnum(c) != 0 || c == '-'; };
  return text.size() <= kRegionBytesMax && std::all_of(text.begin(), text.end(), belongs);
}

/// The region that the sender wants the bucket in, "" if they do not care. Signatures for every
/// region are as good here, so it is any, and the bucket remembers it.
Task<Result<std::string>> wanted_location(Request& r) {
  CO_TRY(const std::string text, co_await read_body(r, kConfigurationBytesMax));
  if (text.empty()) co_return std::string();
  const auto root = aisfs::s3::parse_xml(text);
  if (!root.ok() || root->name != "CreateBucketConfiguration") co_return fail("MalformedXML");
  std::string location(root->get("LocationConstraint"));
  if (!is_region(location)) co_return fail("InvalidLocationConstraint");
  co_return location;
}

std::string region_of(const Request& r) {
  const auto& configured = r.found->props.s3;
  const auto it = configured.find(kLocation);
  return it == configured.end() ? r.deps.verifier.options().region : it->second;
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
  BucketProps props{.copies = BucketProps::kAutoCopies};
  CO_TRY(props.acl, acl_text_of(r, r.fields()));
  CO_TRY(const std::string location, co_await wanted_location(r));
  if (!location.empty()) props.s3[kLocation] = location;
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
  reply.head.fields.set("x-amz-bucket-region", region_of(r));
  co_return reply;
}

Answer delete_bucket(Request& r) {
  CO_CHECK_OK(co_await r.deps.admin.destroy_bucket(r.context(), r.bucket_name(), false));
  co_return empty_reply(204);
}

Answer get_location(Request& r) {
  const std::string region = region_of(r);
  std::string xml = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<LocationConstraint xmlns=\"";
  xml.append(aisfs::s3::kS3Namespace).append("\">");
  if (region != "us-east-1") xml.append(aisfs::s3::xml_escape(region));
  co_return xml_reply(xml + "</LocationConstraint>");
}

}  // namespace aisfs::front::s3
