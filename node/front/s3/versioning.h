// SPDX-License-Identifier: MIT
// Versions of objects, as S3 speaks of them.
#pragma once
#include "node/front/s3/request.h"

namespace aisfs::front::s3 {

/// InvalidArgument for a text that can be no version's id.
Status check_version_id(std::string_view id);

/// x-amz-version-id of what was read, where the bucket has versions.
void add_version_headers(const Request& r, const ObjectInfo& info, http::Fields& fields);
/// That of what was written, if it got one.
void add_new_version(const ObjectInfo& info, http::Fields& fields);

/// The answer to a GET or HEAD that met a delete marker: 405 for one that names it.
Reply marker_reply(const Request& r, std::string_view code, const ObjectInfo& marker);

/// The delete marker that hides the object, if its newest version is one.
Task<Result<std::optional<ObjectInfo>>> newest_marker(Request& r);

/// Leaves a delete marker; its info.
Task<Result<ObjectInfo>> put_delete_marker(Request& r, ObjectName name, Conditions conditions);

}  // namespace aisfs::front::s3
