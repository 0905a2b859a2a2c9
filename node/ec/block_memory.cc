// SPDX-License-Identifier: MIT
#include "node/ec/block_memory.h"

#include <map>
#include <mutex>
#include <new>
#include <vector>

namespace aisfs::ec {
namespace {

constexpr std::align_val_t kAlign{4096};
// Sizes that differ by less are one.
constexpr std::size_t kStep = 1_MiB;

/// Memory that nobody uses, by its size; the warmest is passed on first.
class Idle {
 public:
  /// Null when there is none.
  std::byte* take(std::size_t bytes) {
    const std::lock_guard lock(mutex_);
    const auto found = of_size_.find(bytes);
    if (found == of_size_.end() || found->second.empty()) return nullptr;
    std::byte* memory = found->second.back();
    found->second.pop_back();
    kept_ -= bytes;
    return memory;
  }

  /// False: it is the caller's to free.
  bool give(std::byte* memory, std::size_t bytes) {
    const std::lock_guard lock(mutex_);
    if (kept_ + bytes > BlockMemory::kIdleMax) return false;
    of_size_[bytes].push_back(memory);
    kept_ += bytes;
    return true;
  }

 private:
  std::mutex mutex_;
  // Guarded by mutex_.
  std::map<std::size_t, std::vector<std::byte*>> of_size_;
  std::size_t kept_ = 0;
};

/// Never destroyed: threads may end after main does.
Idle& idle() {
  static Idle* const all = new Idle;
  return *all;
}

}  // namespace

BlockMemory::BlockMemory(std::size_t bytes) : size_(bytes) {
  const std::size_t whole = (bytes + kStep - 1) / kStep * kStep;
  std::byte* memory = idle().take(whole);
  if (memory == nullptr) memory = static_cast<std::byte*>(::operator new(whole, kAlign));
  bytes_ = {memory, Give{whole}};
}

void BlockMemory::Give::operator()(std::byte* memory) const {
  if (!idle().give(memory, bytes)) ::operator delete(memory, kAlign);
}

}  // namespace aisfs::ec
