// SPDX-License-Identifier: MIT
#pragma once
#include <atomic>
#include <functional>
#include <mutex>
#include <optional>

#include "common/async/clock.h"
#include "common/model/cluster_map.h"
#include "common/model/version.h"

namespace aisfs::store {

/// The meta version of a name that gets another form (plain, in slices) and nothing else: above the
/// one that it has, below all that any clock gave or gives after that. So a change that was decided
/// before, and arrives late from a target that was away, still counts. `incarnation` is of who
/// makes the form. nullopt after fifteen times.
std::optional<Version> version_of_new_form(Version version, std::uint32_t incarnation);

/// Gives versions that rise strictly, also over restarts and when the wall clock goes back.
///
/// The hybrid logical clock is the wall clock in milliseconds (<< 20) or the last value + 16,
/// whichever is more. It never passes a ceiling that is on disk, and a restart begins above the
/// ceiling that it finds. Thread-safe.
class VersionClock {
 public:
  /// Makes a ceiling durable. Blocks; called with steps of kStep, from one thread at a time.
  using Persist = std::function<Status(std::uint64_t hlc)>;

  VersionClock(Clock& clock, Epoch epoch, std::uint32_t incarnation, Persist persist);

  /// All versions from now on are above `floor`: the highest ceiling or version found on disk.
  Status start(std::uint64_t floor);

  /// Versions up to here have been given, as a disk says that was away: those from now on are
  /// above.
  void see(std::uint64_t hlc);

  /// Blocks only when the ceiling is reached, which renew() prevents. Fails when it cannot be
  /// raised: no version is given that a restart might give again.
  Result<Version> next();

  /// Raises the ceiling when less than half a step is left. Call about once a second.
  Status renew();

  void set_epoch(Epoch epoch);
  std::uint64_t last() const;
  /// That is durable: no version is above it.
  std::uint64_t ceiling() const;
  /// All versions from now on are above.
  Version last_version() const;

 private:
  static constexpr std::uint64_t kStep = std::uint64_t{20'000} << 20;  // 20 s

  std::uint64_t wall() const;
  Status raise(std::uint64_t above);

  Clock& clock_;
  const std::uint32_t incarnation_;
  const Persist persist_;
  std::atomic<Epoch> epoch_;
  std::mutex raising_;  // before mutex_
  mutable std::mutex mutex_;
  std::uint64_t last_ = 0;     // guarded by mutex_
  std::uint64_t ceiling_ = 0;  // guarded by mutex_
};

}  // namespace aisfs::store
