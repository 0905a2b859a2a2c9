// SPDX-License-Identifier: MIT
#pragma once
#include <boost/asio/thread_pool.hpp>
#include <string>

#include "common/async/task.h"
#include "common/base/bytes.h"
#include "common/base/unique_fd.h"

namespace aisfs::write {

/// Scratch bytes of one open file: up to `memory_max` in memory, beyond that in a file without a
/// name in the cache folder, so nothing is left behind by a crash. Blocking calls run on `pool`.
///
/// One shard; calls must not overlap (the caller holds the file's turn) except reads.
class LocalFile {
 public:
  LocalFile(asio::thread_pool& pool, std::string folder, std::uint64_t memory_max)
      : pool_(pool), folder_(std::move(folder)), memory_max_(memory_max) {}

  /// no_space or io of the cache disk, with the folder's name.
  Task<Status> write(std::uint64_t offset, std::string bytes);
  /// What was never written reads as zeros.
  Task<Result<std::string>> read(std::uint64_t offset, std::uint64_t length);
  /// Forgets everything from `size` on.
  Task<Status> truncate(std::uint64_t size);

 private:
  Task<Status> spill();

  asio::thread_pool& pool_;
  const std::string folder_;
  const std::uint64_t memory_max_;
  std::string memory_;
  UniqueFd fd_;
};

}  // namespace aisfs::write
