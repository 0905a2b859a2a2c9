// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "common/async/clock.h"
#include "common/async/notifier.h"
#include "common/model/bucket.h"

namespace aisfs::target {

/// What this target knows of directories that are being removed, so that nothing is made in one
/// that has gone: a file system has seen a name's directory before it makes the name, and the
/// directory may be removed while the request is on its way.
///
/// Whoever removes a directory closes it at all targets before it looks whether it is empty. A name
/// that is being made there is listed by then, and one that comes later looks for the directory
/// again. Directories are named by the place of their marker. Thread-safe; outlives its tickets.
class ClosedDirs {
 public:
  /// No request is under way for longer than this, so nor is what its sender has seen.
  static constexpr auto kRequestLife = std::chrono::minutes(2);

  /// What is known of a directory when a name is to be made in it.
  struct View {
    bool may_have_gone = false;  // look for it again
    std::uint64_t closing = 0;   // the last one
  };

  /// Held while a name is being made, until listings show it.
  class Ticket {
   public:
    Ticket() = default;
    Ticket(Ticket&& other) noexcept
        : of_(std::exchange(other.of_, nullptr)), dir_(std::move(other.dir_)) {}
    Ticket& operator=(Ticket&& other) noexcept {
      std::swap(of_, other.of_);
      std::swap(dir_, other.dir_);
      return *this;
    }
    ~Ticket() {
      if (of_ != nullptr) of_->end(dir_);
    }

   private:
    friend class ClosedDirs;
    using Name = std::pair<std::uint64_t, std::string>;
    Ticket(ClosedDirs& of, Name dir) : of_(&of), dir_(std::move(dir)) {}

    ClosedDirs* of_ = nullptr;
    Name dir_;
  };

  /// Of what was closed before now nothing is known: for the time of a request every directory may
  /// have gone.
  explicit ClosedDirs(Clock& clock) : clock_(clock), all_until_(clock.now() + kRequestLife) {}

  View view(BucketId bucket, const std::string& dir) const;
  /// nullopt when the directory was closed since `seen`: view() and look again.
  std::optional<Ticket> begin(BucketId bucket, std::string dir, View seen);
  /// Closes the directory, and waits for the names that are being made in it. False at the
  /// deadline.
  Task<bool> close(BucketId bucket, std::string dir, Deadline deadline);

 private:
  using Name = Ticket::Name;
  struct State {
    std::uint64_t closing = 0;  // 0: not lately
    TimePoint closed_at;
    std::size_t making = 0;
  };

  void end(const Name& dir);
  bool is_making(const Name& dir) const;
  void forget_old(TimePoint now);

  Clock& clock_;
  mutable std::mutex mutex_;
  // Guarded by mutex_.
  std::map<Name, State> dirs_;
  std::deque<std::pair<TimePoint, Name>> closings_;  // of each closing, oldest first
  std::uint64_t last_closing_ = 0;
  TimePoint all_until_;
  Notifier ended_;
};

}  // namespace aisfs::target
