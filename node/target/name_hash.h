// SPDX-License-Identifier: MIT
#pragma once
#include "common/base/hash.h"
#include "node/store/key.h"

namespace aisfs::target {

/// Of a name in its bucket, for tables and locks: two names may have the same.
inline std::uint64_t name_hash(const store::Key& key) {
  return xxh3_64(as_bytes(key.key())) ^ key.bucket.value * 0x9E3779B97F4A7C15ull;
}

}  // namespace aisfs::target
