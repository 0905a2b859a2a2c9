// SPDX-License-Identifier: MIT
#pragma once
#include <functional>

#include "common/client/object_api.h"

namespace aisfs {

/// A page of the names as they lie in the stores, whatever is mapped.
using PhysicalList = std::function<Task<Result<ListPage>>(ListOptions options)>;

/// A page of a bucket with renamed directories (common/placement/prefix_map.h): asks `list` for the
/// places of one interval of names after the other. What is moved meanwhile is in the page once.
/// `map` is of one epoch for the whole page and outlives the task, as `list` does.
Task<Result<ListPage>> list_mapped(const ClusterMap& map,
                                   BucketId bucket,
                                   ListOptions options,
                                   const PhysicalList& list);

}  // namespace aisfs
