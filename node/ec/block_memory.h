// SPDX-License-Identifier: MIT
#pragma once
#include <cstddef>
#include <memory>

#include "common/base/bytes.h"

namespace aisfs::ec {

/// Memory for blocks that begins on a page: a block of a page's border is read without one load
/// across two cache lines. Not initialised; pages that are never touched take no memory.
///
/// What was used is passed on to the next one of about this size, because the pages of fresh memory
/// cost more than to encode what is put into them. As much as kIdleMax is kept for that.
/// Thread-safe.
class BlockMemory {
 public:
  static constexpr std::size_t kIdleMax = 64_MiB;

  BlockMemory() = default;
  explicit BlockMemory(std::size_t bytes);

  explicit operator bool() const { return bytes_ != nullptr; }
  std::byte* data() const { return bytes_.get(); }
  MutableBytes span() const { return {bytes_.get(), size_}; }

 private:
  struct Give {
    std::size_t bytes;  // that were allocated
    void operator()(std::byte* memory) const;
  };
  std::unique_ptr<std::byte, Give> bytes_;
  std::size_t size_ = 0;
};

}  // namespace aisfs::ec
