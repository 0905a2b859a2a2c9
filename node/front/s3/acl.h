// SPDX-License-Identifier: MIT
// Access control lists: kept with the bucket's properties and in the object's headers; the owner of
// a bucket owns all that is in it.
#pragma once
#include "common/s3/acl.h"
#include "node/front/s3/request.h"

namespace aisfs::front::s3 {

/// Where an object keeps its list. Never sent as it is.
inline constexpr std::string_view kAclHeader = "x-amz-acl";

/// What x-amz-acl and x-amz-grant-* of the fields say, as it is stored; "" for the owner alone.
/// InvalidArgument: no ACL, or a grantee who does not exist.
Result<std::string> acl_text_of(const Request& r, const http::Fields& fields);

/// After a copy, which brings the source's list along: the object gets the one of this request.
Task<Status> set_object_acl(Request& r, const ObjectInfo& info);

/// What a route needs of those who do not own the bucket.
struct Needed {
  aisfs::s3::Permission permission;
  bool of_object;  // by the object's list; else by the bucket's
};

/// A bucket that the sender was let into, and the identity to act with there.
struct Entry {
  Bucket bucket;
  auth::Identity who;
};

/// Lets the sender into the bucket of `name`: in their own name if it is theirs, else in its owner's
/// if an access control list, of the bucket or of the object as `needed` says, gives them that.
/// AccessDenied, NoSuchBucket, NoSuchKey.
Task<Result<Entry>> enter(const Request& r, ObjectName name, std::optional<Needed> needed);

}  // namespace aisfs::front::s3
