// SPDX-License-Identifier: MIT
// An object on its way to a holder while its owner still receives it.
#pragma once
#include <string>

#include "common/base/result.h"
#include "common/model/cluster_map.h"
#include "node/store/object_meta.h"

namespace aisfs::target {

/// What is known at the beginning. The bytes follow, as many, and then what encode_copy_end()
/// makes.
struct StreamedCopy {
  BucketName bucket;
  std::string key;
  std::uint64_t bytes = 0;
  Durability level = Durability::kFull;
};

/// What is known at the end: the object as its owner has published it, by which map.
struct CopyEnd {
  store::StoredMeta meta;
  Epoch epoch = 0;
};

inline constexpr std::size_t kCopyEndBytesMax = store::kMetaSideBytesMax + 4096;

std::string encode_copy_end(const CopyEnd& end);
/// corrupt, unsupported.
Result<CopyEnd> decode_copy_end(std::string_view bytes);

}  // namespace aisfs::target
