// SPDX-License-Identifier: MIT
// What a disk does to files behind the store's back.
#pragma once
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <vector>

#include "node/store/object_meta.h"

namespace aisfs::store {

/// The file of an ordinary key below this folder; "" when there is none.
inline std::string file_of(const std::string& below, const std::string& key) {
  for (const auto& entry : std::filesystem::recursive_directory_iterator(below)) {
    if (entry.path().string().ends_with("/%ob/" + key)) return entry.path();
  }
  return {};
}

/// What lies in %bad of all mountpaths below this folder, without the texts.
inline std::vector<std::string> set_aside_below(const std::string& below) {
  std::vector<std::string> found;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(below)) {
    const std::string path = entry.path();
    const bool bad = entry.is_regular_file() && path.find("/%bad/") != std::string::npos;
    if (bad && !path.ends_with(".txt")) found.push_back(path);
  }
  return found;
}

inline void flip_bit(const std::string& file, std::uint64_t offset) {
  const int fd = ::open(file.c_str(), O_RDWR);
  ASSERT_GE(fd, 0) << file;
  char byte = 0;
  ASSERT_EQ(::pread(fd, &byte, 1, static_cast<off_t>(offset)), 1);
  byte = static_cast<char>(byte ^ 1);
  ASSERT_EQ(::pwrite(fd, &byte, 1, static_cast<off_t>(offset)), 1);
  ::close(fd);
}

inline void flip_bit_of_xattr(const std::string& file, std::size_t offset) {
  char value[4096];
  const ssize_t size = ::getxattr(file.c_str(), kMetaXattr, value, sizeof value);
  ASSERT_GT(size, static_cast<ssize_t>(offset));
  value[offset] = static_cast<char>(value[offset] ^ 1);
  ASSERT_EQ(::setxattr(file.c_str(), kMetaXattr, value, static_cast<std::size_t>(size), 0), 0);
}

}  // namespace aisfs::store
