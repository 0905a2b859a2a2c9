// SPDX-License-Identifier: MIT
// Answers in the forms that clients of AIStore expect.
#pragma once
#include <boost/json/value.hpp>

#include "node/front/native/call.h"

namespace aisfs::native {

/// The JSON error of AIStore with Ais-Error beside it; for HEAD only headers.
Task<void> reply_error(const Call& call, Error error);
/// As reply_error for a request that never became a Call.
Task<void> reply_error(http::Exchange& exchange, std::string node_id, Error error);

/// How far the versions of this node have come, for whoever asked it for its own objects.
void add_clock(const Call& call, http::Fields& fields);

Task<void> reply_ok(const Call& call);
Task<void> reply_text(const Call& call, std::string text, int status = 200);
Task<void> reply_json(const Call& call, boost::json::value value);
/// 200 and the body; its error, when it fails before anything has gone out.
Task<void> reply_body(const Call& call, http::ResponseHead head, BodySource& body);

/// Answers with the error of `result`, or 200 without a body.
Task<void> reply_status(const Call& call, Status result);

/// The error with AIStore's sentence for a missing object, if it says nothing of that kind yet:
/// its SDK tells a missing object from a missing bucket by the text.
Error about_object(Error error, const ObjectName& name);

/// Metadata as AIStore's headers: ETag, Last-Modified, Ais-Version, Ais-Atime, Ais-Checksum-*,
/// Ais-Custom-Md.
void add_info(http::Fields& fields, const ObjectInfo& info);

/// add_info and Content-Type: of an object whose bytes follow.
void add_object(http::Fields& fields, const ObjectInfo& info);

/// Type and value of the checksum to show; none when no whole-object checksum is known.
struct ShownChecksum {
  std::string type;
  std::string value;
};
ShownChecksum checksum_of(const ObjectInfo& info);

}  // namespace aisfs::native
