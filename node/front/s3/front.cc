// SPDX-License-Identifier: MIT
// The way of every S3 request: authenticate, route, authorise, act, answer.
#include <algorithm>
#include <array>

#include "common/base/hash.h"
#include "common/base/text.h"
#include "common/obs/log.h"
#include "node/front/s3/acl.h"
#include "node/front/s3/cors.h"
#include "node/front/s3/request.h"
#include "node/front/s3/s3_front.h"
#include "node/front/s3/versioning.h"

namespace aisfs::front::s3 {
namespace {

using aisfs::s3::Permission;
using http::Method;
using Operation = Answer (*)(Request&);

/// Whether the bucket must exist and be the sender's before the operation runs.
enum class Needs : unsigned char {
  kIdentity,
  kBucket,
  kNothing,  // it brings credentials of its own
};

struct Route {
  Operation run = nullptr;
  Needs needs = Needs::kBucket;
};

/// What an access control list may open to those who do not own the bucket; nothing for the rest.
/// Of a copy it is what the destination needs; the source is asked for apart.
struct Opening {
  Operation run;
  Needed needed;
};
constexpr std::array kOpenings = {
    Opening{&get_object, {Permission::kRead, true}},
    Opening{&head_object, {Permission::kRead, true}},
    Opening{&get_attributes, {Permission::kRead, true}},
    Opening{&list_objects_v1, {Permission::kRead, false}},
    Opening{&list_objects_v2, {Permission::kRead, false}},
    Opening{&list_versions, {Permission::kRead, false}},
    Opening{&head_bucket, {Permission::kRead, false}},
    Opening{&list_uploads, {Permission::kRead, false}},
    Opening{&put_object, {Permission::kWrite, false}},
    Opening{&copy_object, {Permission::kWrite, false}},
    Opening{&delete_object, {Permission::kWrite, false}},
    Opening{&delete_objects, {Permission::kWrite, false}},
    Opening{&create_upload, {Permission::kWrite, false}},
    Opening{&upload_part, {Permission::kWrite, false}},
    Opening{&upload_part_copy, {Permission::kWrite, false}},
    Opening{&complete_upload, {Permission::kWrite, false}},
    Opening{&abort_upload, {Permission::kWrite, false}},
};

/// ?acl of a bucket is its own list's business, of an object the object's.
std::optional<Needed> opening_of(const Request& r, Operation run) {
  if (run == &get_acl) return Needed{Permission::kReadAcp, !r.key.empty()};
  if (run == &put_acl) return Needed{Permission::kWriteAcp, !r.key.empty()};
  const auto it = std::find_if(kOpenings.begin(), kOpenings.end(),
                               [&](const Opening& o) { return o.run == run; });
  return it == kOpenings.end() ? std::nullopt : std::optional(it->needed);
}

struct Place {
  std::string bucket, key;
};

// --- where a request points ---------------------------------------------------------------------

std::optional<std::string> bucket_of_host(const S3FrontDeps& deps, std::string_view host) {
  host = host.substr(0, host.rfind(':'));
  for (const auto& domain : deps.domains) {
    if (host.size() > domain.size() + 1 && host.ends_with(domain) &&
        host[host.size() - domain.size() - 1] == '.') {
      return std::string(host.substr(0, host.size() - domain.size() - 1));
    }
  }
  return std::nullopt;
}

Result<Place> place_of(const S3FrontDeps& deps, const http::Exchange& exchange) {
  std::string_view path = exchange.target().path;
  if (!path.starts_with(deps.prefix)) return fail("InvalidRequest", "not a path of this service");
  path.remove_prefix(deps.prefix.size());
  if (!path.empty() && path.front() != '/')
    return fail("InvalidRequest", "not a path of this service");
  if (!path.empty()) path.remove_prefix(1);
  Place place;
  if (auto bucket = bucket_of_host(deps, exchange.request().fields.get("host"))) {
    place = {.bucket = std::move(*bucket), .key = std::string(path)};
  } else {
    const auto slash = path.find('/');
    place.bucket = path.substr(0, slash);
    if (slash != path.npos) place.key = path.substr(slash + 1);
  }
  if (place.bucket.empty() && !place.key.empty()) return fail("InvalidBucketName");
  if (place.key.size() > kKeyBytesMax) return fail("KeyTooLongError");
  if (place.key.find('\0') != std::string::npos) return fail("InvalidArgument", "NUL in the key");
  return place;
}

// --- configurations that a bucket of ours never has
// -----------------------------------------------

struct Absent {
  std::string_view param, code;
};
constexpr std::array kAbsent = {
    Absent{"policy", "NoSuchBucketPolicy"},
    Absent{"lifecycle", "NoSuchLifecycleConfiguration"},
    Absent{"website", "NoSuchWebsiteConfiguration"},
    Absent{"encryption", "ServerSideEncryptionConfigurationNotFoundError"},
    Absent{"object-lock", "ObjectLockConfigurationNotFoundError"},
    Absent{"replication", "ReplicationConfigurationNotFoundError"},
    Absent{"publicAccessBlock", "NoSuchPublicAccessBlockConfiguration"},
    Absent{"ownershipControls", "OwnershipControlsNotFoundError"},
};

Answer absent_configuration(Request& r) {
  for (const auto& row : kAbsent) {
    if (r.has_param(row.param)) co_return fail(row.code);
  }
  co_return fail("NotImplemented");
}

Answer not_implemented(Request&) { co_return fail("NotImplemented"); }
Answer method_not_allowed(Request&) { co_return fail("MethodNotAllowed"); }

/// Sub-resources that exist in S3 and not here; without this list a PUT ?policy would be taken for
/// the creation of a bucket.
constexpr std::array<std::string_view, 21> kUnknownSubresources = {
    "accelerate",     "analytics",    "encryption",        "intelligent-tiering",
    "inventory",      "legal-hold",   "lifecycle",         "logging",
    "metrics",        "notification", "object-lock",       "ownershipControls",
    "policy",         "policyStatus", "publicAccessBlock", "replication",
    "requestPayment", "restore",      "retention",         "torrent",
    "website"};

bool has_unknown_subresource(const Request& r) {
  return std::any_of(kUnknownSubresources.begin(), kUnknownSubresources.end(),
                     [&](std::string_view name) { return r.has_param(name); });
}

// --- routes ------------------------------------------------------------------------------------

Route service_route(const Request& r) {
  if (r.method() == Method::kGet || r.method() == Method::kHead) {
    return {&list_buckets, Needs::kIdentity};
  }
  return {&method_not_allowed, Needs::kIdentity};
}

Route bucket_get_route(const Request& r) {
  if (has_unknown_subresource(r)) return {&absent_configuration};
  if (r.has_param("tagging")) return {&get_bucket_tagging};
  if (r.has_param("location")) return {&get_location};
  if (r.has_param("versioning")) return {&get_versioning};
  if (r.has_param("cors")) return {&get_cors};
  if (r.has_param("acl")) return {&get_acl};
  if (r.has_param("uploads")) return {&list_uploads};
  if (r.has_param("versions")) return {&list_versions};
  return {r.param("list-type") == "2" ? &list_objects_v2 : &list_objects_v1};
}

Route bucket_route(const Request& r) {
  switch (r.method()) {
    case Method::kGet:
      return bucket_get_route(r);
    case Method::kHead:
      return {&head_bucket};
    case Method::kPut:
      if (r.has_param("acl")) return {&put_acl};
      if (r.has_param("versioning")) return {&put_versioning};
      if (r.has_param("cors")) return {&put_cors};
      if (r.has_param("tagging")) return {&put_bucket_tagging};
      if (has_unknown_subresource(r)) return {&not_implemented};
      return {&create_bucket, Needs::kIdentity};
    case Method::kDelete:
      if (r.has_param("cors")) return {&delete_cors};
      if (r.has_param("tagging")) return {&delete_bucket_tagging};
      if (has_unknown_subresource(r)) return {&not_implemented};
      return {&delete_bucket};
    case Method::kPost:
      if (r.has_param("delete")) return {&delete_objects};
      if (!r.target().query.empty()) return {&not_implemented};
      return {&post_object, Needs::kNothing};
    default:
      return {&method_not_allowed};
  }
}

Route object_put_route(const Request& r) {
  if (r.has_param("acl")) return {&put_acl};
  if (r.has_param("tagging")) return {&put_tagging};
  const bool copy = r.fields().has("x-amz-copy-source");
  if (r.has_param("uploadId") || r.has_param("partNumber")) {
    return {copy ? &upload_part_copy : &upload_part};
  }
  return {copy ? &copy_object : &put_object};
}

Route object_route(const Request& r) {
  if (has_unknown_subresource(r)) return {&not_implemented};
  switch (r.method()) {
    case Method::kGet:
      if (r.has_param("acl")) return {&get_acl};
      if (r.has_param("tagging")) return {&get_tagging};
      if (r.has_param("attributes")) return {&get_attributes};
      if (r.has_param("uploadId")) return {&list_parts};
      return {&get_object};
    case Method::kHead:
      return {&head_object};
    case Method::kPut:
      return object_put_route(r);
    case Method::kDelete:
      if (r.has_param("tagging")) return {&delete_tagging};
      return {r.has_param("uploadId") ? &abort_upload : &delete_object};
    case Method::kPost:
      if (r.has_param("uploads")) return {&create_upload};
      if (r.has_param("uploadId")) return {&complete_upload};
      return {&not_implemented};
    default:
      return {&method_not_allowed};
  }
}

Route route_of(const Request& r) {
  if (r.bucket.empty()) return service_route(r);
  return r.key.empty() ? bucket_route(r) : object_route(r);
}

Status check_version(const Request& r) {
  const std::string_view version = r.param("versionId");
  return version.empty() ? Status{} : check_version_id(version);
}

/// What would have to be kept secret or locked and would not be is refused.
Status check_unsupported_headers(const Request& r) {
  constexpr std::string_view kAmz = "x-amz-";
  for (const auto& field : r.fields()) {
    if (!iequals(std::string_view(field.name).substr(0, kAmz.size()), kAmz)) continue;
    const std::string name = to_lower(field.name);
    if (name.starts_with("x-amz-server-side-encryption") || name.starts_with("x-amz-object-lock") ||
        name.starts_with("x-amz-copy-source-server-side-encryption") ||
        (name == "x-amz-bucket-object-lock-enabled" && iequals(field.value, "true"))) {
      return fail("NotImplemented", name + " is not supported");
    }
  }
  return {};
}

// --- the request -------------------------------------------------------------------------------

/// As S3 does: that a name is free is no secret.
Error refuse_anonymous(const Request& r) {
  if (r.bucket.empty() || !r.deps.map) return fail("AccessDenied");
  const MapSnapshot map = r.deps.map();
  return fail(map->find_bucket(r.bucket_name()) == nullptr ? "NoSuchBucket" : "AccessDenied");
}

/// Lets the sender into the bucket, for what an access control list may open also if it is not theirs.
Task<Status> admit(Request& r, std::optional<Needed> needed) {
  CO_TRY(Entry entry, co_await enter(r, r.asked(), needed));
  r.found = std::move(entry.bucket);
  r.verified.who = std::move(entry.who);
  co_return Status{};
}

Task<Result<Reply>> act(Request& r) {
  if (r.method() == Method::kOptions) co_return co_await preflight(r);
  const Route route = route_of(r);
  if (route.needs == Needs::kBucket) {
    CO_CHECK_OK(co_await admit(r, opening_of(r, route.run)));
  } else if (route.needs == Needs::kIdentity && r.who().is_anonymous()) {
    co_return refuse_anonymous(r);
  }
  CO_CHECK_OK(check_version(r));
  CO_CHECK_OK(check_unsupported_headers(r));
  co_return co_await route.run(r);
}

Noun noun_of(const Request& r) {
  if (r.has_param("uploadId")) return Noun::kUpload;
  if (r.key.empty()) return Noun::kBucket;
  return r.param("versionId").empty() ? Noun::kKey : Noun::kVersion;
}

/// What every answer to a request gets.
struct Common {
  std::string id;
  http::Fields cors;
};

void add_common_headers(http::ResponseHead& head, const Common& common) {
  head.fields.set("x-amz-request-id", common.id);
  head.fields.set("x-amz-id-2", common.id);
  head.fields.set("Server", "aisfs");
  for (const auto& field : common.cors) head.fields.set(field.name, field.value);
}

Task<void> send_error(http::Exchange& exchange, S3Error error, const Common& common) {
  http::ResponseHead head{.status = error.status, .fields = {}};
  add_common_headers(head, common);
  std::string body;
  if (error.status != 304 && exchange.request().method != Method::kHead) {
    head.fields.set("Content-Type", "application/xml");
    body = aisfs::s3::error_body(error, exchange.target().path, common.id);
  }
  for (const auto& [name, value] : error.more) {
    if (name == "ETag" || name == "Last-Modified") head.fields.set(name, value);
  }
  if (error.status == 503) head.fields.set("Retry-After", "1");
  const Status sent = co_await exchange.respond(std::move(head), std::move(body));
  if (!sent.ok()) LOG_DEBUG("s3 error not sent", "request", common.id, "why", sent.error().what());
}

/// What failed before anything has gone out is for send_error to say.
Task<Status> send_reply(http::Exchange& exchange, Reply reply, const Common& common) {
  add_common_headers(reply.head, common);
  Status sent;
  if (reply.stream && exchange.request().method != Method::kHead) {
    sent = co_await exchange.respond(std::move(reply.head), *reply.stream);
  } else {
    sent = co_await exchange.respond(std::move(reply.head), std::move(reply.body));
  }
  if (!sent.ok()) LOG_DEBUG("s3 answer not sent", "request", common.id, "why", sent.error().what());
  co_return exchange.responded() ? Status() : std::move(sent);
}

/// Tells requests apart and is nobody's secret: a random start, then counted in odd steps.
std::string next_request_id() {
  thread_local std::uint64_t last = xxh3_64(as_bytes(random_bytes(16)));
  last += 0x9E3779B97F4A7C15ull;
  return to_hex(last);
}

class Front {
 public:
  explicit Front(S3FrontDeps deps) : deps_(std::move(deps)) {}

  Task<void> serve(http::Exchange& exchange) {
    Common common{.id = next_request_id(), .cors = {}};
    auto place = place_of(deps_, exchange);
    if (!place.ok()) {
      co_await send_error(exchange, s3_error_of(place.error(), Noun::kKey), common);
      co_return;
    }
    common.cors = cors_answer(deps_, exchange.request(), place->bucket);
    // A preflight never carries credentials, and none of its answers tells anything.
    auth::Refusal why = auth::Refusal::kNone;
    Result<auth::Verified> verified = auth::Verified{};
    if (exchange.request().method != Method::kOptions) {
      verified =
          deps_.verifier.verify(exchange.request(), exchange.target(), auth::Front::kPublic, &why);
    }
    // Who signs nothing is nobody, and may what access control lists open to everybody.
    if (!verified.ok() && why == auth::Refusal::kNoCredentials) verified = auth::Verified{};
    if (!verified.ok()) {
      co_await send_error(exchange, s3_error_of(why, verified.error()), common);
      co_return;
    }
    Request request{.deps = deps_,
                    .exchange = exchange,
                    .id = common.id,
                    .bucket = std::move(place->bucket),
                    .key = std::move(place->key),
                    .verified = *verified,
                    .sender = verified->who,
                    .found = {}};
    co_await answer(request, common);
  }

 private:
  Task<void> answer(Request& request, const Common& common) {
    auto reply = co_await act(request);
    Status failed;
    if (reply) {
      failed = co_await send_reply(request.exchange, std::move(*reply), common);
    } else {
      failed = reply.error();
    }
    if (failed) co_return;
    const S3Error error = s3_error_of(failed.error(), noun_of(request));
    if (error.status >= 500 && error.status != 501) {
      LOG_WARN("s3 request failed", "request", request.id, "bucket", request.bucket, "code",
               error.code, "error", failed.error().what());
    }
    co_await send_error(request.exchange, error, common);
  }

  S3FrontDeps deps_;
};

}  // namespace

http::Handler make_s3_handler(S3FrontDeps deps) {
  auto front = std::make_shared<Front>(std::move(deps));
  return [front](http::Exchange& exchange) { return front->serve(exchange); };
}

}  // namespace aisfs::front::s3
