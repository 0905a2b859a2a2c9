// SPDX-License-Identifier: MIT
// The service: the buckets of a user.
#include <algorithm>

#include "common/base/text.h"
#include "common/s3/date.h"
#include "common/s3/list_marker.h"
#include "common/s3/xml_writer.h"
#include "node/front/s3/request.h"

namespace aisfs::front::s3 {
namespace {

constexpr std::uint64_t kBucketsMax = 10000;

struct Page {
  std::string prefix, after;
  std::uint64_t limit = kBucketsMax;
};

Result<Page> parse_page(const Request& r) {
  Page page{.prefix = std::string(r.param("prefix")), .after = {}};
  if (r.has_param("max-buckets")) {
    const auto limit = parse_u64(r.param("max-buckets"));
    if (!limit || *limit < 1 || *limit > kBucketsMax) {
      return fail("InvalidArgument", "max-buckets is 1 to 10000");
    }
    page.limit = *limit;
  }
  if (const auto token = r.param("continuation-token"); !token.empty()) {
    auto after = aisfs::s3::decode_marker(token);
    if (!after.ok()) return fail("InvalidArgument", "The continuation token is not valid.");
    page.after = std::move(*after);
  }
  return page;
}

bool shown_to(const Request& r, const Bucket& bucket, const Page& page) {
  const bool native = bucket.name.provider == "ais" && bucket.name.ns.empty();
  const bool visible = r.who().is_admin() || bucket.owner == r.who().user();
  return native && visible && bucket.name.name.starts_with(page.prefix) &&
         bucket.name.name > page.after;
}

}  // namespace

Answer list_buckets(Request& r) {
  CO_TRY(const Page page, parse_page(r));
  CO_TRY(auto buckets, co_await r.deps.admin.list_buckets(r.context()));
  std::erase_if(buckets, [&](const Bucket& bucket) { return !shown_to(r, bucket, page); });
  std::sort(buckets.begin(), buckets.end(),
            [](const Bucket& a, const Bucket& b) { return a.name.name < b.name.name; });
  const bool more = buckets.size() > page.limit;
  if (more) buckets.resize(page.limit);

  aisfs::s3::XmlWriter xml("ListAllMyBucketsResult", aisfs::s3::kS3Namespace);
  xml.open("Owner").leaf("ID", r.who().user());
  xml.leaf("DisplayName", display_name_of(r, r.who().user())).close();
  xml.open("Buckets");
  for (const Bucket& bucket : buckets) {
    xml.open("Bucket").leaf("Name", bucket.name.name);
    xml.leaf("CreationDate", aisfs::s3::iso_date(bucket.created_ns)).close();
  }
  xml.close();
  if (!page.prefix.empty()) xml.leaf("Prefix", page.prefix);
  if (more) xml.leaf("ContinuationToken", aisfs::s3::encode_marker(buckets.back().name.name));
  co_return xml_reply(std::move(xml).finish());
}

}  // namespace aisfs::front::s3
