// SPDX-License-Identifier: MIT
#pragma once
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "common/async/clock.h"
#include "common/client/object_api.h"
#include "common/model/scrub.h"
#include "node/store/key_locks.h"
#include "node/store/store.h"
#include "node/target/peers.h"

namespace aisfs::target {

/// An error that says that the bytes here are not what was written.
inline bool is_damage(const Error& error) { return error == Errc::corrupt || error == Errc::io; }

/// Puts good copies in the place of this target's damaged ones. Whoever finds one damaged, owner or
/// other holder, asks the other holders for the same version, and believes what comes only if it is
/// what the index here knows. What none of them has stays as it is: its name is listed, reading it
/// fails, and it is among damages() until it is good again, replaced or removed.
///
/// Thread-safe. What it is given outlives it.
class Healer {
 public:
  struct Deps {
    std::string node_id;
    store::Store& store;
    MapSource& maps;
    Peers& peers;
    Clock& clock;
  };
  explicit Healer(Deps deps) : deps_(std::move(deps)) {}

  enum class Verdict : std::uint8_t {
    kGood,     // or there is no such file to be looked at
    kHealed,   // it was damaged
    kDamaged,  // it is, and not everybody who may have a good copy has answered
    kLost,     // it is, and nobody has a good copy
  };
  struct Checked {
    Verdict verdict = Verdict::kGood;
    std::uint64_t bytes = 0;  // read
  };
  /// Looks at the object's file (Store::scrub) and heals it. An error says nothing about the file.
  Task<Result<Checked>> check(store::Key key, store::Store::Pace pace = nullptr);

  /// A state of this target's name that was lost here, with its file or its disk, and that a holder
  /// has: it comes back. False: what is known here is as new.
  Task<Result<bool>> bring_back(const Bucket& bucket, store::NameState state);

  /// It is checked in the background, soon.
  void suspect(const store::Key& key);
  /// What is damaged or lost here and could not be healed, and has not been replaced or removed
  /// since; the first thousand of it.
  std::vector<DamagedName> damages();

  /// Background work until cancelled. On one shard.
  Task<void> run();
  /// One round of it: checks what is suspected.
  Task<void> settle();

 private:
  using Name = std::pair<BucketId, std::string>;
  struct Damage {
    store::Key key;
    Version meta_version;
    DamagedName told;
  };

  Task<Verdict> heal(const store::Key& key, const store::ScrubFinding& found);
  Task<Result<store::ObjectCopy>> fetch(std::string node,
                                        const Bucket& bucket,
                                        store::NameState state);
  std::vector<std::string> other_holders(const ClusterMap& map,
                                         const Bucket& bucket,
                                         const ObjectName& name) const;
  void suspect_damages();
  void add_lost_names(std::vector<DamagedName>& to) const;
  Result<std::optional<store::NameState>> state_of(const store::Key& key) const;
  void note(const store::Key& key, const store::ScrubFinding& found, Verdict verdict);

  static constexpr std::size_t kDamagesMax = 1000;
  static constexpr std::size_t kSuspectsMax = 10'000;

  const Deps deps_;
  store::KeyLocks locks_;  // a name is healed once at a time
  mutable std::mutex mutex_;
  std::map<Name, Damage> damages_;       // guarded by mutex_
  std::map<Name, store::Key> suspects_;  // guarded by mutex_
};

}  // namespace aisfs::target
