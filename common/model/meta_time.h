// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

#include "common/model/object.h"

namespace aisfs {

/// Nanoseconds since 1970 of "sec" or "sec.fraction", as s3fs and rclone write times into
/// metadata; nullopt for anything else.
std::optional<std::int64_t> parse_meta_time(std::string_view text);

/// The time of modification that whoever wrote the object gave it: of its POSIX attributes, or, if
/// it has none, of the metadata key `mtime` (all that rclone sends). nullopt when nobody said.
std::optional<std::int64_t> mtime_of(const ObjectInfo& info);

}  // namespace aisfs
