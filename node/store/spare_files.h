// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "common/model/bucket.h"

namespace aisfs::store {

/// A file in the work folder whose content has been replaced.
struct SpareFile {
  BucketId bucket;
  std::string path;
  std::uint64_t size = 0;
};

/// Files to write the next objects into: an overwrite then takes no new inode, blocks and pages, and
/// frees none. Bounded; a file serves its own bucket only. Thread-safe; touches no disk.
///
/// Whoever gives a file says that nobody reads it and that nobody was promised that its content
/// survives power loss, because it changes in place from now on.
class SpareFiles {
 public:
  static constexpr std::size_t kFilesMax = 64;
  static constexpr std::uint64_t kBytesMax = std::uint64_t{64} << 20;

  /// The newest of about this size, between half and twice.
  std::optional<SpareFile> take(BucketId bucket, std::uint64_t size);
  /// Keeps the file. Returns those that have to go instead: they are the caller's to remove.
  std::vector<SpareFile> give(SpareFile file);
  /// Empties it; the files are the caller's to remove.
  std::vector<SpareFile> take_all();

 private:
  std::mutex mutex_;
  std::vector<SpareFile> files_;  // guarded by mutex_, as is bytes_; oldest first
  std::uint64_t bytes_ = 0;
};

}  // namespace aisfs::store
