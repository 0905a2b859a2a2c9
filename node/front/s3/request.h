// SPDX-License-Identifier: MIT
// One S3 request on its way through the front, and what operations answer.
#pragma once
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/auth/verifier.h"
#include "common/client/object_api.h"
#include "common/http/server.h"
#include "node/front/s3/errors.h"
#include "node/front/s3/s3_front.h"

namespace aisfs::front::s3 {

/// A verified request. Lives as long as the exchange; operations take it by reference.
struct Request {
  const S3FrontDeps& deps;
  http::Exchange& exchange;
  std::string id;      // x-amz-request-id
  std::string bucket;  // "" for the service
  std::string key;     // "" for the bucket
  auth::Verified verified;
  /// Who signed it. who(), with whom it acts, is the owner of the bucket instead where an access
  /// control list let the sender in.
  auth::Identity sender;
  std::optional<Bucket> found;  // the bucket, once authorised

  const http::RequestHead& head() const { return exchange.request(); }
  const http::Fields& fields() const { return exchange.request().fields; }
  const http::Target& target() const { return exchange.target(); }
  http::Method method() const { return exchange.request().method; }
  std::string_view field(std::string_view name) const { return fields().get(name); }
  bool has_param(std::string_view name) const { return target().has(name); }
  std::string_view param(std::string_view name) const { return target().get(name); }
  const auth::Identity& who() const { return verified.who; }

  BucketName bucket_name() const { return native_bucket(bucket); }
  ObjectName object() const { return {native_bucket(bucket), key}; }
  /// The object, or the version of it that the query names.
  ObjectName asked() const;
  /// The bucket has or had versioning, so answers tell which version they speak of.
  bool has_versions() const { return found && found->props.versioning != Versioning::kOff; }
  Context context() const { return make_context(deps.timeout); }
  Context bulk_context() const { return make_context(deps.bulk_timeout); }

 private:
  Context make_context(Duration timeout) const {
    return {.who = verified.who, .deadline = Deadline::after(timeout), .trace = id};
  }
};

/// A successful answer. `stream` wins over `body`.
struct Reply {
  http::ResponseHead head;
  std::string body;
  std::unique_ptr<BodySource> stream;
};
using Answer = Task<Result<Reply>>;

Reply empty_reply(int status);
Reply xml_reply(std::string xml);

/// The one check of what the sender may do: everything with its own buckets; administrators
/// with all. NoSuchBucket or AccessDenied. Returns the bucket.
Task<Result<Bucket>> authorise(const Request& request, std::string bucket);

/// Configures the bucket of the request.
Task<Status> set_props(Request& request, BucketProps props);

/// Name to show for a user id.
std::string display_name_of(const Request& request, const std::string& user);

/// Reads a small XML body, verified. MalformedXML when it is none or its root is another.
Task<Result<std::string>> read_body(Request& request, std::size_t limit);

/// "a1b2" of "\"a1b2\"" or "a1b2".
std::string unquoted(std::string_view etag);
std::string quoted(std::string_view etag);

// The operations. Each is in the file of its group; authorisation has happened.
Answer list_buckets(Request& r);   // service.cc
Answer create_bucket(Request& r);  // bucket.cc
Answer head_bucket(Request& r);
Answer delete_bucket(Request& r);
Answer get_location(Request& r);
Answer get_versioning(Request& r);  // versioning.cc
Answer put_versioning(Request& r);
Answer get_cors(Request& r);  // cors.cc
Answer put_cors(Request& r);
Answer delete_cors(Request& r);
Answer list_objects_v1(Request& r);  // listing.cc
Answer list_objects_v2(Request& r);
Answer list_versions(Request& r);  // list_versions.cc
Answer get_object(Request& r);  // object_read.cc
Answer head_object(Request& r);
Answer get_attributes(Request& r);  // attributes.cc
Answer put_object(Request& r);      // object_write.cc
Answer copy_object(Request& r);     // copy.cc
Answer upload_part_copy(Request& r);
Answer delete_object(Request& r);  // remove.cc
Answer delete_objects(Request& r);
Answer create_upload(Request& r);  // multipart.cc
Answer upload_part(Request& r);
Answer complete_upload(Request& r);
Answer abort_upload(Request& r);
Answer list_parts(Request& r);  // multipart_list.cc
Answer list_uploads(Request& r);
Answer get_acl(Request& r);  // acl.cc
Answer put_acl(Request& r);
Answer post_object(Request& r);  // post_object.cc
Answer get_tagging(Request& r);  // tagging.cc
Answer put_tagging(Request& r);
Answer delete_tagging(Request& r);
Answer get_bucket_tagging(Request& r);
Answer put_bucket_tagging(Request& r);
Answer delete_bucket_tagging(Request& r);

}  // namespace aisfs::front::s3
