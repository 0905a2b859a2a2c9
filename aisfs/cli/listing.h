// SPDX-License-Identifier: MIT
#pragma once
#include <functional>

#include "aisfs/cli/location.h"
#include "aisfs/cli/session.h"

namespace aisfs::cli {

/// Told of each page of a listing; false ends it.
using OnPage = std::function<bool(const ListPage&)>;

/// All pages of a listing, in order. `options.after` and `limit` are of the first page.
Task<Status> list_all(Session& session, BucketName bucket, ListOptions options, OnPage on_page);

/// All keys below a prefix with their attributes.
Task<Result<std::vector<ListEntry>>> entries_below(Session& session, Location location);

/// "dir" as the prefix of what lies below it: "dir/"; "" stays "".
std::string folder_prefix(std::string key);

}  // namespace aisfs::cli
