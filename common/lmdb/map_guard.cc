// SPDX-License-Identifier: MIT
#include "common/lmdb/map_guard.h"

#include <sys/mman.h>

#include <array>
#include <atomic>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <mutex>
#include <utility>

namespace aisfs::lmdb {
namespace {

constexpr std::size_t kSlots = 256;
constexpr std::uintptr_t kPageBytes = 4096;

/// Read by the signal handler.
struct Slot {
  std::atomic<std::uintptr_t> begin = 0, end = 0;  // begin 0: free
  std::atomic<bool> failed = false;
  std::atomic<Instead> instead = Instead::kZeros;
};
std::array<Slot, kSlots> slots;
std::mutex slots_mutex;  // of who takes one
struct sigaction previous;

/// The page header of LMDB 0.9: number, padding, flags, and where free space begins and ends.
struct EmptyLeaf {
  std::uint64_t number = 0;
  std::uint16_t padding = 0;
  std::uint16_t flags = 0x02;  // P_LEAF
  std::uint16_t lower = 16, upper = kPageBytes;
};

/// Only system calls and atomics: it runs wherever the fault was.
bool replace_page(std::uintptr_t address) {
  for (Slot& slot : slots) {
    const std::uintptr_t begin = slot.begin.load();
    if (begin == 0 || address < begin || address >= slot.end.load()) continue;
    slot.failed.store(true);
    void* const page = reinterpret_cast<void*>(address & ~(kPageBytes - 1));
    const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;
    if (::mmap(page, kPageBytes, PROT_READ | PROT_WRITE, flags, -1, 0) != page) return false;
    const EmptyLeaf leaf;
    if (slot.instead.load() == Instead::kEmptyLeaf) std::memcpy(page, &leaf, sizeof leaf);
    return true;
  }
  return false;
}

void on_fault(int signal, siginfo_t* info, void*) {
  const int saved = errno;
  const bool ours =
      info->si_code > 0 && replace_page(reinterpret_cast<std::uintptr_t>(info->si_addr));
  errno = saved;
  if (ours) return;
  ::sigaction(signal, &previous, nullptr);  // it happens again, and is nobody's here
}

void install() {
  static std::once_flag once;
  std::call_once(once, [] {
    struct sigaction action{};
    action.sa_sigaction = on_fault;
    action.sa_flags = SA_SIGINFO;
    ::sigaction(SIGBUS, &action, &previous);
  });
}

}  // namespace

void MapGuard::watch(const void* begin, std::size_t bytes, Instead instead) {
  release();
  install();
  const std::lock_guard lock(slots_mutex);
  for (std::size_t i = 0; i < kSlots; ++i) {
    Slot& slot = slots[i];
    if (slot.begin.load() != 0) continue;
    slot.failed.store(false);
    slot.instead.store(instead);
    slot.end.store(reinterpret_cast<std::uintptr_t>(begin) + bytes);
    slot.begin.store(reinterpret_cast<std::uintptr_t>(begin));
    slot_ = static_cast<int>(i);
    return;
  }
}

void MapGuard::release() {
  if (slot_ < 0) return;
  slots[static_cast<std::size_t>(std::exchange(slot_, -1))].begin.store(0);
}

bool MapGuard::failed() const {
  return slot_ >= 0 &&
         slots[static_cast<std::size_t>(slot_)].failed.load(std::memory_order_relaxed);
}

}  // namespace aisfs::lmdb
