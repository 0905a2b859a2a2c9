// SPDX-License-Identifier: MIT
#pragma once
#include <deque>
#include <map>
#include <mutex>
#include <utility>

#include "common/async/clock.h"
#include "node/store/resume.h"

namespace aisfs::store {

/// Keeps changes of names and changes of the mountpaths apart. Any number of the former have a pass
/// at a time; the latter close the gate, wait until nobody is inside, and open it. Turns tell
/// passes apart that were given before something happened. Thread-safe; outlives its passes.
class OpGate {
 public:
  class [[nodiscard]] Pass {
   public:
    Pass() = default;
    Pass(OpGate* owner, std::uint64_t turn) : owner_(owner), turn_(turn) {}
    Pass(Pass&& o) noexcept : owner_(std::exchange(o.owner_, nullptr)), turn_(o.turn_) {}
    Pass& operator=(Pass&& o) noexcept {
      std::swap(owner_, o.owner_);
      std::swap(turn_, o.turn_);
      return *this;
    }
    ~Pass() {
      if (owner_ != nullptr) owner_->leave(turn_);
    }

   private:
    OpGate* owner_ = nullptr;
    std::uint64_t turn_ = 0;
  };

  /// Waits while the gate is closed. Who has a pass asks for no second one.
  Task<Pass> enter();

  /// Returns when nobody is inside any more, and nobody comes in before open(). timed_out at the
  /// deadline: open again. One caller at a time.
  Task<Status> close(Clock& clock, Deadline deadline);
  void open();

  /// Begins a turn; passes given from now on are of it.
  std::uint64_t begin_turn();
  /// Whether passes of turns before this one are still out.
  bool has_older(std::uint64_t turn) const;

 private:
  struct Entered {};

  bool try_enter(std::uint64_t& turn);
  void leave(std::uint64_t turn);
  bool is_empty() const;

  mutable std::mutex mutex_;
  // Guarded by mutex_.
  std::map<std::uint64_t, std::size_t> inside_;  // by turn
  std::uint64_t turn_ = 1;
  bool closed_ = false;
  std::deque<Resume<Entered>> waiting_;
};

}  // namespace aisfs::store
