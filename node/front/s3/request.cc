// SPDX-License-Identifier: MIT
#include "node/front/s3/request.h"

#include "common/model/version_key.h"

namespace aisfs::front::s3 {

ObjectName Request::asked() const {
  const std::string_view version = param("versionId");
  if (version.empty()) return object();
  return {native_bucket(bucket), version_key(key, version)};
}

Reply empty_reply(int status) {
  return {.head = {.status = status, .fields = {}}, .body = {}, .stream = {}};
}

Reply xml_reply(std::string xml) {
  Reply reply = empty_reply(200);
  reply.head.fields.set("Content-Type", "application/xml");
  reply.body = std::move(xml);
  return reply;
}

Task<Result<Bucket>> authorise(const Request& request, std::string bucket) {
  Context context = request.context();
  context.who = request.sender;
  auto found = co_await request.deps.admin.find_bucket(std::move(context), native_bucket(bucket));
  if (!found.ok()) {
    if (found.error() == Errc::not_found) co_return fail("NoSuchBucket");
    co_return std::move(found.error());
  }
  const auth::Identity& who = request.sender;
  const bool owns = !who.is_anonymous() && !found->owner.empty() && found->owner == who.user();
  if (!owns && !who.is_admin()) co_return fail("AccessDenied");
  co_return found;
}

Task<Status> set_props(Request& request, BucketProps props) {
  const auto done = co_await request.deps.admin.set_bucket_props(
      request.context(), request.bucket_name(), std::move(props));
  co_return done ? Status{} : Status(done.error());
}

std::string display_name_of(const Request& request, const std::string& user) {
  if (user == request.who().user() && !request.who().display_name().empty()) {
    return request.who().display_name();
  }
  if (request.deps.map) {
    const MapSnapshot map = request.deps.map();
    const auto it = map->users.find(user);
    if (it != map->users.end()) return it->second.display_name;
  }
  return user;
}

Task<Result<std::string>> read_body(Request& request, std::size_t limit) {
  auth::VerifiedBody body(request.exchange.body(), request.verified.body);
  auto text = co_await read_all(body.source(), limit);
  if (!text.ok() && text.error() == Errc::too_large) co_return fail("MalformedXML");
  co_return text;
}

std::string unquoted(std::string_view etag) {
  if (etag.size() >= 2 && etag.front() == '"' && etag.back() == '"') {
    return std::string(etag.substr(1, etag.size() - 2));
  }
  return std::string(etag);
}

std::string quoted(std::string_view etag) {
  std::string out = "\"";
  return out.append(etag).append("\"");
}

}  // namespace aisfs::front::s3
