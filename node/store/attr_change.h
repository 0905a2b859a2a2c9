// SPDX-License-Identifier: MIT
#pragma once
#include "common/client/object_api.h"

namespace aisfs::store {

/// `info` with the change applied; ctime becomes `now_ns` where there are POSIX attributes.
/// already_exists, no_attribute for the xattr conditions. Pure. Versions stay as they are.
Result<ObjectInfo> apply_change(ObjectInfo info, const AttrChange& change, std::int64_t now_ns);

/// What a PUT makes of its options and of the version it replaces (null: none).
ObjectInfo info_of_put(const PutOptions& options, const ObjectInfo* base);

}  // namespace aisfs::store
