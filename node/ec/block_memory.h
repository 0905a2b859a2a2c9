// SPDX-License-Identifier: MIT
#pragma once
#include <cstddef>
#include <memory>
#include <new>

#include "common/base/bytes.h"

namespace aisfs::ec {

/// Memory for blocks that begins on a page: a block of a page's border is read without one load
/// across two cache lines. Not initialised; pages that are never touched take no memory.
class BlockMemory {
 public:
  BlockMemory() = default;
  explicit BlockMemory(std::size_t bytes)
      : bytes_(static_cast<std::byte*>(::operator new(bytes, kAlign))), size_(bytes) {}

  explicit operator bool() const { return bytes_ != nullptr; }
  std::byte* data() const { return bytes_.get(); }
  MutableBytes span() const { return {bytes_.get(), size_}; }

 private:
  static constexpr std::align_val_t kAlign{4096};
  struct Free {
    void operator()(std::byte* bytes) const { ::operator delete(bytes, kAlign); }
  };
  std::unique_ptr<std::byte, Free> bytes_;
  std::size_t size_ = 0;
};

}  // namespace aisfs::ec
