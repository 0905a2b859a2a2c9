// SPDX-License-Identifier: MIT
#pragma once
#include <vector>

#include "common/client/object_api.h"
#include "node/store/index.h"

namespace aisfs::store {

/// One page out of one page of each mountpath, all of the same scan. Pure. Keys are on one mountpath
/// each; common prefixes may come from several and appear once.
ListPage merge_pages(std::vector<ScanPage> pages, std::size_t limit);

}  // namespace aisfs::store
