// SPDX-License-Identifier: MIT
#pragma once
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "common/base/block_hashes.h"
#include "common/base/bytes.h"

namespace aisfs::store {

/// Memory of one block for bodies on their way to the disk. It is passed on, because the pages of a
/// fresh one cost more than the hash of what is put into them. Thread-safe; outlives its buffers.
class BlockBuffers {
 public:
  class Give {
   public:
    explicit Give(BlockBuffers* owner = nullptr) : owner_(owner) {}
    void operator()(std::byte* bytes) const {
      std::unique_ptr<std::byte[]> memory(bytes);
      if (owner_ != nullptr) owner_->give(std::move(memory));
    }

   private:
    BlockBuffers* owner_;
  };
  using Buffer = std::unique_ptr<std::byte[], Give>;

  /// kHashBlockBytes of anything.
  Buffer take() {
    {
      const std::lock_guard lock(mutex_);
      if (!idle_.empty()) {
        Buffer buffer(idle_.back().release(), Give(this));
        idle_.pop_back();
        return buffer;
      }
    }
    return {std::make_unique_for_overwrite<std::byte[]>(kHashBlockBytes).release(), Give(this)};
  }

  /// `bytes` of memory that nobody else gets.
  static Buffer small(std::size_t bytes) {
    return {std::make_unique_for_overwrite<std::byte[]>(bytes).release(), Give()};
  }

 private:
  static constexpr std::size_t kIdleMax = 32;

  void give(std::unique_ptr<std::byte[]> memory) {
    const std::lock_guard lock(mutex_);
    if (idle_.size() < kIdleMax) idle_.push_back(std::move(memory));
  }

  std::mutex mutex_;
  std::vector<std::unique_ptr<std::byte[]>> idle_;  // guarded by mutex_
};

}  // namespace aisfs::store
