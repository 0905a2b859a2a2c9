// SPDX-License-Identifier: MIT
#include "node/front/s3/errors.h"

#include <algorithm>
#include <array>

namespace aisfs::front::s3 {
namespace {

struct Row {
  std::string_view code;
  int status;
  std::string_view message;
};
constexpr std::array kRows = {
    Row{"AccessDenied", 403, "Access Denied"},
    Row{"AccessForbidden", 403, "CORS is not enabled for this bucket."},
    Row{"AuthorizationHeaderMalformed", 400, "The authorization header is malformed."},
    Row{"AuthorizationQueryParametersError", 403, "The query's authorization is malformed."},
    Row{"BadDigest", 400, "The checksum you specified did not match what we received."},
    Row{"BadRequest", 400, "Bad Request"},
    Row{"BucketAlreadyExists", 409, "The requested bucket name is not available."},
    Row{"BucketAlreadyOwnedByYou", 409, "You already own this bucket."},
    Row{"BucketNotEmpty", 409, "The bucket you tried to delete is not empty."},
    Row{"EntityTooLarge", 400, "Your proposed upload exceeds the maximum allowed size."},
    Row{"EntityTooSmall", 400, "A part that is not the last is smaller than 5 MiB."},
    Row{"IllegalVersioningConfigurationException", 400, "The status is Enabled or Suspended."},
    Row{"IncompleteBody", 400, "The body is not as long as announced."},
    Row{"InternalError", 500, "We encountered an internal error. Please try again."},
    Row{"InvalidAccessKeyId", 403, "The access key is not known here."},
    Row{"InvalidArgument", 400, "Invalid argument."},
    Row{"InvalidBucketName", 400, "The specified bucket is not valid."},
    Row{"InvalidDigest", 400, "The Content-MD5 or checksum you specified is not valid."},
    Row{"InvalidLocationConstraint", 400, "The location constraint is not valid."},
    Row{"InvalidPart", 400, "A part could not be found, or its ETag does not match."},
    Row{"InvalidPartOrder", 400, "The parts are not in ascending order."},
    Row{"InvalidRange", 416, "The requested range cannot be satisfied."},
    Row{"InvalidRequest", 400, "Invalid request."},
    Row{"InvalidTag", 400, "The tag is not valid."},
    Row{"KeyTooLongError", 400, "Your key is too long."},
    Row{"InvalidPolicyDocument", 400, "The content of the form does not meet the policy document."},
    Row{"MalformedACLError", 400, "The access control list you provided is not well-formed."},
    Row{"MalformedPOSTRequest", 400, "The body of your POST request is not well-formed."},
    Row{"MalformedXML", 400, "The XML you provided was not well-formed or not valid here."},
    Row{"MetadataTooLarge", 400, "Your metadata headers exceed the maximum allowed size."},
    Row{"MethodNotAllowed", 405, "The method is not allowed against this resource."},
    Row{"MissingContentLength", 411, "You must provide x-amz-decoded-content-length."},
    Row{"NoSuchBucket", 404, "The specified bucket does not exist."},
    Row{"NoSuchBucketPolicy", 404, "The bucket policy does not exist."},
    Row{"NoSuchCORSConfiguration", 404, "The CORS configuration does not exist."},
    Row{"NoSuchKey", 404, "The specified key does not exist."},
    Row{"NoSuchLifecycleConfiguration", 404, "The lifecycle configuration does not exist."},
    Row{"NoSuchPublicAccessBlockConfiguration", 404, "The configuration was not found."},
    Row{"NoSuchTagSet", 404, "The TagSet does not exist."},
    Row{"NoSuchUpload", 404,
        "The specified upload does not exist. It may have been aborted or completed."},
    Row{"NoSuchVersion", 404, "The specified version does not exist."},
    Row{"NoSuchWebsiteConfiguration", 404, "The website configuration does not exist."},
    Row{"NotImplemented", 501, "This is not implemented."},
    Row{"NotModified", 304, "Not Modified"},
    Row{"ObjectLockConfigurationNotFoundError", 404, "Object lock is not configured."},
    Row{"OperationAborted", 409, "A conflicting operation is in progress. Please try again."},
    Row{"OwnershipControlsNotFoundError", 404, "The ownership controls were not found."},
    Row{"PreconditionFailed", 412, "At least one of the preconditions did not hold."},
    Row{"ReplicationConfigurationNotFoundError", 404, "Replication is not configured."},
    Row{"RequestTimeTooSkewed", 403, "The request's time and the server's differ too much."},
    Row{"RequestTimeout", 400, "The body was not sent in time."},
    Row{"ServerSideEncryptionConfigurationNotFoundError", 404, "Encryption is not configured."},
    Row{"ServiceUnavailable", 503, "Please reduce your request rate or try again."},
    Row{"SignatureDoesNotMatch", 403, "The signature does not match; check your secret key."},
    Row{"SlowDown", 503, "Please reduce your request rate."},
    Row{"XAmzContentSHA256Mismatch", 400, "x-amz-content-sha256 does not match the body."},
    Row{"InsufficientCapacity", 507, "The cluster has no space left."},
};

constexpr std::string_view kMark = "s3:";

const Row& row_of(std::string_view code) {
  const auto it =
      std::find_if(kRows.begin(), kRows.end(), [&](const Row& r) { return r.code == code; });
  AISFS_ASSERT(it != kRows.end());
  return *it;
}

S3Error make(std::string_view code, std::string message) {
  const Row& row = row_of(code);
  if (message.empty()) message = row.message;
  return {.status = row.status, .code = std::string(code), .message = std::move(message)};
}

std::string_view missing_code(const Error& error, Noun noun) {
  if (noun == Noun::kBucket || error.what().find("bucket \"") != std::string::npos) {
    return "NoSuchBucket";
  }
  if (noun == Noun::kVersion) return "NoSuchVersion";
  return noun == Noun::kUpload ? "NoSuchUpload" : "NoSuchKey";
}

std::string_view code_of_cluster(const Error& error, Noun noun) {
  switch (error.code()) {
    case Errc::not_found:
    case Errc::no_attribute:
      return missing_code(error, noun);
    case Errc::already_exists:
      return noun == Noun::kBucket ? "BucketAlreadyExists" : "PreconditionFailed";
    case Errc::not_empty:
      return "BucketNotEmpty";
    case Errc::permission_denied:
    case Errc::unauthenticated:
    case Errc::not_permitted:
    case Errc::read_only:
      return "AccessDenied";
    case Errc::invalid_argument:
    case Errc::is_directory:
    case Errc::not_directory:
    case Errc::loop:
      return "InvalidArgument";
    case Errc::name_too_long:
      return "KeyTooLongError";
    case Errc::too_large:
      return "EntityTooLarge";
    case Errc::out_of_range:
      return "InvalidRange";
    case Errc::precondition_failed:
      return "PreconditionFailed";
    case Errc::not_modified:
      return "NotModified";
    case Errc::bad_checksum:
      return "BadDigest";
    case Errc::unsupported:
      return "NotImplemented";
    case Errc::no_space:
      return "InsufficientCapacity";
    case Errc::busy:
      return "OperationAborted";
    case Errc::overloaded:
      return "SlowDown";
    case Errc::stale_map:
    case Errc::unreachable:
    case Errc::not_ready:
    case Errc::timed_out:
    case Errc::cancelled:
      return "ServiceUnavailable";
    default:
      return "InternalError";
  }
}

}  // namespace

Error fail(std::string_view code, std::string message) {
  std::string text(kMark);
  text.append(row_of(code).code).append(":").append(message);
  return Error(Errc::invalid_argument, std::move(text));
}

std::string_view code_of(const Error& error) {
  std::string_view text = error.what();
  if (!text.starts_with(kMark)) return {};
  text.remove_prefix(kMark.size());
  return text.substr(0, text.find(':'));
}

S3Error s3_error_of(const Error& error, Noun noun) {
  if (const auto code = code_of(error); !code.empty()) {
    return make(code, error.what().substr(kMark.size() + code.size() + 1));
  }
  const auto code = code_of_cluster(error, noun);
  // What went wrong inside is for the log, not for strangers.
  const bool internal = row_of(code).status >= 500;
  const bool of_object = noun == Noun::kKey || noun == Noun::kVersion;
  return make(code, !internal && of_object && code == "InvalidArgument" ? error.what() : "");
}

S3Error s3_error_of(auth::Refusal refusal, const Error& error) {
  using auth::Refusal;
  switch (refusal) {
    case Refusal::kMalformedHeader:
      return make("AuthorizationHeaderMalformed", error.what());
    case Refusal::kMalformedQuery:
      return make("AuthorizationQueryParametersError", error.what());
    case Refusal::kWrongScope:
      return make("AuthorizationHeaderMalformed", error.what());
    case Refusal::kSeveralCredentials:
      return make("InvalidRequest", error.what());
    case Refusal::kUnknownKey:
      return make("InvalidAccessKeyId", {});
    case Refusal::kBadSignature:
      return make("SignatureDoesNotMatch", {});
    case Refusal::kSkewed:
      return make("RequestTimeTooSkewed", {});
    case Refusal::kMissingLength:
      return make("MissingContentLength", {});
    case Refusal::kExpired:
    case Refusal::kUnsignedHeaders:
    case Refusal::kUnknownScheme:
    case Refusal::kBadToken:
      return make("AccessDenied", error.what());
    case Refusal::kNoCredentials:
    case Refusal::kBadNode:
    case Refusal::kNone:
      break;
  }
  return make("AccessDenied", {});
}

}  // namespace aisfs::front::s3
