// SPDX-License-Identifier: MIT
#pragma once
#include <atomic>
#include <memory>

namespace aisfs {

/// A value that whoever needs it first makes; it never changes then. Thread-safe without a lock:
/// two who need it at once both make it, and one of the two is kept.
template <class T>
class OnceMade {
 public:
  OnceMade() = default;
  OnceMade(const OnceMade&) = delete;
  OnceMade& operator=(const OnceMade&) = delete;
  ~OnceMade() { delete value_.load(std::memory_order_relaxed); }

  /// Null before it was made.
  const T* get() const { return value_.load(std::memory_order_acquire); }

  /// The value that is kept: `made`, or what another thread has made before.
  const T& keep(std::unique_ptr<const T> made) {
    const T* kept = nullptr;
    if (value_.compare_exchange_strong(kept, made.get(), std::memory_order_acq_rel)) {
      return *made.release();
    }
    return *kept;
  }

 private:
  std::atomic<const T*> value_ = nullptr;
};

}  // namespace aisfs
