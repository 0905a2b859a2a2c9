// SPDX-License-Identifier: MIT
#include "common/async/frame_memory.h"

#include <array>
#include <cstdint>
#include <new>

namespace aisfs {
namespace {

constexpr std::size_t kStep = 128;
constexpr std::size_t kLargest = 16 * 1024;
constexpr std::size_t kKeptMax = 1024 * 1024;  // bytes, a thread

std::size_t class_of(std::size_t bytes) { return (bytes + kStep - 1) / kStep; }
std::size_t rounded(std::size_t bytes) { return class_of(bytes) * kStep; }

#if defined(__SANITIZE_ADDRESS__)
constexpr bool kKeep = false;  // a frame that is used after its end is to be seen
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
constexpr bool kKeep = false;
#else
constexpr bool kKeep = true;
#endif
#else
constexpr bool kKeep = true;
#endif

/// Free frames of a thread by size, the last one given back first. No destructor: frames may end
/// while the thread's other objects do.
struct Kept {
  struct Free {
    Free* next;
  };
  std::array<Free*, kLargest / kStep + 1> first;
  std::size_t bytes;
  bool closed;
};
constinit thread_local Kept t_kept{};

/// Gives the memory back when the thread ends.
struct Closer {
  ~Closer() {
    t_kept.closed = true;
    for (Kept::Free*& head : t_kept.first) {
      while (head != nullptr) ::operator delete(std::exchange(head, head->next));
    }
  }
  void arm() {}
};
thread_local Closer t_closer;

}  // namespace

void* allocate_frame(std::size_t bytes) {
  if (bytes > kLargest) return ::operator new(bytes);
  Kept::Free*& head = t_kept.first[class_of(bytes)];
  if (head == nullptr) return ::operator new(rounded(bytes));
  t_kept.bytes -= rounded(bytes);
  return std::exchange(head, head->next);
}

void release_frame(void* frame, std::size_t bytes) noexcept {
  const bool keep =
      kKeep && bytes <= kLargest && !t_kept.closed && t_kept.bytes + rounded(bytes) <= kKeptMax;
  if (!keep) return ::operator delete(frame);
  if (t_kept.bytes == 0) t_closer.arm();
  t_kept.bytes += rounded(bytes);
  Kept::Free*& head = t_kept.first[class_of(bytes)];
  head = ::new (frame) Kept::Free{head};
}

}  // namespace aisfs
