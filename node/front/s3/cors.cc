// SPDX-License-Identifier: MIT
#include "node/front/s3/cors.h"

#include "common/base/text.h"
#include "common/s3/cors.h"

namespace aisfs::front::s3 {
namespace {

constexpr std::string_view kMethodHeader = "Access-Control-Request-Method";

/// Of a bucket that has any; a name that is free has none either.
aisfs::s3::CorsRules rules_of(const S3FrontDeps& deps, const std::string& bucket) {
  const MapSnapshot map = deps.map ? deps.map() : nullptr;
  const Bucket* found = map == nullptr ? nullptr : map->find_bucket(native_bucket(bucket));
  if (found == nullptr || found->props.cors.empty()) return {};
  return aisfs::s3::parse_cors_xml(found->props.cors).value_or({});
}

std::vector<std::string> requested_headers(const Request& r) {
  std::vector<std::string> names;
  for (std::string_view name : split(r.field("Access-Control-Request-Headers"), ',')) {
    if (!trim(name).empty()) names.emplace_back(trim(name));
  }
  return names;
}

}  // namespace

http::Fields cors_answer(const S3FrontDeps& deps,
                         const http::RequestHead& head,
                         const std::string& bucket) {
  const std::string_view origin = head.fields.get("Origin");
  if (origin.empty() || head.method == http::Method::kOptions) return {};
  // Some clients name the method that they are about to use here, too.
  const std::string_view named = head.fields.get(kMethodHeader);
  const aisfs::s3::CorsRequest request{
      .origin = origin, .method = named.empty() ? to_string(head.method) : named, .headers = {}};
  return aisfs::s3::cors_fields(rules_of(deps, bucket), request).value_or(http::Fields());
}

Answer preflight(Request& r) {
  if (r.field("Origin").empty()) {
    co_return fail("BadRequest", "Insufficient information. Origin request header needed.");
  }
  if (r.field(kMethodHeader).empty()) {
    co_return fail("BadRequest", "Invalid Access-Control-Request-Method.");
  }
  const auto rules = rules_of(r.deps, r.bucket);
  if (rules.empty()) co_return fail("AccessForbidden");
  const aisfs::s3::CorsRequest request{.origin = r.field("Origin"),
                                       .method = r.field(kMethodHeader),
                                       .headers = requested_headers(r)};
  auto fields = aisfs::s3::cors_fields(rules, request);
  if (!fields) co_return fail("AccessForbidden", "This CORS request is not allowed.");
  Reply reply = empty_reply(200);
  reply.head.fields = *std::move(fields);
  co_return reply;
}

Answer get_cors(Request& r) {
  if (r.found->props.cors.empty()) co_return fail("NoSuchCORSConfiguration");
  co_return xml_reply(r.found->props.cors);
}

Answer put_cors(Request& r) {
  CO_TRY(const std::string text, co_await read_body(r, aisfs::s3::kCorsBytesMax));
  const auto rules = aisfs::s3::parse_cors_xml(text);
  if (!rules.ok()) co_return fail("MalformedXML", rules.error().what());
  BucketProps props = r.found->props;
  props.cors = aisfs::s3::format_cors_xml(*rules);
  CO_CHECK_OK(co_await set_props(r, std::move(props)));
  co_return empty_reply(200);
}

Answer delete_cors(Request& r) {
  BucketProps props = r.found->props;
  props.cors.clear();
  CO_CHECK_OK(co_await set_props(r, std::move(props)));
  co_return empty_reply(204);
}

}  // namespace aisfs::front::s3
