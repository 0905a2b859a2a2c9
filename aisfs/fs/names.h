// SPDX-License-Identifier: MIT
// Which names a file system can show, and which keys they are.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "common/model/object.h"

namespace aisfs::fs {

/// name_too_long over 255 bytes; invalid_argument for "", "." and "..", '/' and NUL.
Status validate_component(std::string_view name);
/// Whether a component of a key can be a file's name. What can not is hidden from listings.
bool is_visible(std::string_view component);

/// "a/b" of "a" and "b"; "b" of "" and "b".
std::string join(std::string_view directory, std::string_view name);

/// st_ino of a directory that no marker object stands for: stable over mounts and hosts.
std::uint64_t implied_ino(std::uint64_t bucket_id, std::string_view path);

}  // namespace aisfs::fs
