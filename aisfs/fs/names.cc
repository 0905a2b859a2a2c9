// SPDX-License-Identifier: MIT
#include "aisfs/fs/names.h"

#include "common/base/hash.h"

namespace aisfs::fs {

constexpr std::size_t kComponentBytesMax = 255;  // NAME_MAX

Status validate_component(std::string_view name) {
  if (name.size() > kComponentBytesMax) return Error(Errc::name_too_long, "name over 255 bytes");
  if (!is_visible(name)) return Error(Errc::invalid_argument, "not a file name");
  return {};
}

bool is_visible(std::string_view component) {
  return !component.empty() && component != "." && component != ".." &&
         component.size() <= kComponentBytesMax && component.find('/') == component.npos &&
         component.find('\0') == component.npos;
}

std::string join(std::string_view directory, std::string_view name) {
  std::string path(directory);
  if (!path.empty()) path += '/';
  return path.append(name);
}

std::uint64_t implied_ino(std::uint64_t bucket_id, std::string_view path) {
  return xxh64(as_bytes(path), bucket_id) | (std::uint64_t{1} << 63);
}

}  // namespace aisfs::fs
