// SPDX-License-Identifier: MIT
// Headers of requests as options of operations, and objects as headers of responses.
#pragma once
#include "common/s3/checksum.h"
#include "node/front/s3/request.h"

namespace aisfs::front::s3 {

inline constexpr std::string_view kTaggingHeader = "x-amz-tagging";

/// If-Match, If-None-Match, If-Modified-Since, If-Unmodified-Since under a prefix ("" or
/// "x-amz-copy-source-"). As RFC 9110 says, the etags win over the times; a date that is none is
/// ignored.
Conditions conditions_of(const http::Fields& fields, std::string_view prefix);

/// Metadata of a PUT, a copy with REPLACE or a multipart upload: content headers, user metadata,
/// POSIX attributes, tags; conditions and checksums are not in it.
Result<PutOptions> put_options_of(const Request& r);
/// The same of fields that came in another way.
Result<PutOptions> put_options_of(const Request& r, const http::Fields& fields);

/// Content-MD5, raw; InvalidDigest when it is none.
Result<std::optional<std::string>> content_md5_of(const Request& r);

/// x-amz-checksum-* of the header, by name; InvalidRequest for more than one.
Result<std::map<std::string, std::string>> checksums_of(const Request& r);

/// Names of the checksums that will follow the body as trailers.
std::vector<std::string> trailing_checksums_of(const Request& r);

/// Everything that GET and HEAD say about an object, but the range and the length.
void add_object_headers(const Request& r, const ObjectInfo& info, http::Fields& fields);

/// x-amz-checksum-<name>: ... of the object.
void add_checksum_headers(const ObjectInfo& info, http::Fields& fields);
void remove_checksum_headers(const ObjectInfo& info, http::Fields& fields);

}  // namespace aisfs::front::s3
