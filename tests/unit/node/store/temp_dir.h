// SPDX-License-Identifier: MIT
#pragma once
#include <cstdlib>
#include <filesystem>
#include <string>

#include "common/disk/posix.h"

namespace aisfs {

/// An empty folder that is gone with the object.
class TempDir {
 public:
  TempDir() {
    std::string name = "/tmp/aisfs-format-XXXXXX";
    AISFS_ASSERT(::mkdtemp(name.data()) != nullptr);
    path_ = name;
    root_ = *disk::open_root(path_);
  }
  ~TempDir() { std::filesystem::remove_all(path_); }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;

  const std::string& path() const { return path_; }
  int root() const { return root_.get(); }

 private:
  std::string path_;
  UniqueFd root_;
};

}  // namespace aisfs
