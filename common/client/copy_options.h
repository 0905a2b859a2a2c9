// SPDX-License-Identifier: MIT
#pragma once
#include "common/client/object_api.h"

namespace aisfs {

/// How to put what was read of `source`, so that it becomes the copy that `copy` asks for: the
/// source's etag and checksums, because it is the same content, and its metadata unless they are
/// replaced. The conditions are the destination's; the size is not set. Pure.
PutOptions put_options_of_copy(const CopyOptions& copy, const ObjectInfo& source);

}  // namespace aisfs
