// SPDX-License-Identifier: MIT
#pragma once
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "common/client/object_api.h"
#include "common/placement/hrw.h"
#include "node/store/key_locks.h"
#include "node/store/store.h"
#include "node/target/changes.h"
#include "node/target/courtesy.h"
#include "node/target/peers.h"

namespace aisfs::target {

/// Brings names home that this target owns and others may still have, because names were placed on
/// them before (ClusterMap::placement.past).
///
/// Before a name is read or changed here, those who may have it are asked, and of what they and
/// this target have the newest counts, tombstones included. Who cannot be asked is not taken for
/// one who has nothing: then the answer is not_ready. A target with a disk out of reach asks the
/// other holders of now as well, where there are any, for what may lie on that disk. What others
/// have stays there until a change of the name is about to be acknowledged (drop_leftovers), until
/// a reader is about to hear that the name is gone, or until they offer it
/// (LocalTarget::offer_names) and hear that it is here.
///
/// Thread-safe. What it is given outlives it.
class Handover {
 public:
  struct Deps {
    std::string node_id;
    store::Store& store;
    MapSource& maps;
    Peers& peers;
    ChangesUnderWay& copying;  // what is brought home counts among these
  };
  explicit Handover(Deps deps)
      : store_(deps.store),
        maps_(deps.maps),
        peers_(deps.peers),
        copying_(deps.copying),
        node_id_(std::move(deps.node_id)) {}

  enum class Need : std::uint8_t {
    kRead,     // the newest state
    kChange,   // that, and whether anything is left elsewhere
    kReplace,  // a PUT of a whole object, which nothing older matters to
  };

  /// Returns when this target has the newest state of the name and of the versions that are kept of
  /// it. Nothing for a name of another target. not_ready names the targets that would have to
  /// answer; kReplace does without them. `turn`: of one that nobody waits for.
  Task<Status> bring_home(Context context,
                          MapSnapshot map,
                          const Bucket& bucket,
                          const store::Key& key,
                          Need need,
                          Courtesy::Turn* turn = nullptr);

  /// For a reader: the newest state of a name with one copy, whole, from where it still lies, so
  /// that he does not wait until it is here. Nothing is kept of it. nullopt: bring_home() first.
  Task<std::optional<Result<ObjectStream>>> read_elsewhere(Context context,
                                                           MapSnapshot map,
                                                           const Bucket& bucket,
                                                           const store::Key& key,
                                                           GetOptions options);

  /// Whether the newest state of a name of this target's is known to be here as the map stands.
  /// Inline.
  bool is_home(const ClusterMap& map, const Bucket& bucket, const store::Key& key) const;
  /// Whether it is known besides what others still have of it (drop_leftovers).
  bool is_known(const ClusterMap& map, const Bucket& bucket, const store::Key& key) const;

  /// Whether what `from`, which was away, has of a name of this target's is older than what this
  /// target or another that held the name has.
  Task<Result<bool>> is_superseded(Context context,
                                   MapSnapshot map,
                                   const Bucket& bucket,
                                   std::string from,
                                   store::NameState state);

  /// The name is looked for again: somebody has a newer state than this target.
  void doubt(const store::Key& key);

  /// All names are where they belong: what was known of each is needed no more.
  void end();

  /// Whether a tombstone is what is here of the name. Inline.
  Result<bool> is_gone(const store::Key& key) const;
  /// After a change: what others had of the name goes. unreachable, timed_out: tried again with the
  /// next change, or when it is offered.
  Task<Status> drop_leftovers(Context context, const ClusterMap& map, const store::Key& key);

 private:
  struct Found {
    std::string node;
    std::vector<store::NameState> states;
    std::optional<NameThere::Copy> copy;  // that came along
  };
  struct Lying {
    std::string node;
    store::NameState state;
    const NameThere::Copy* copy = nullptr;  // what was Found has it
  };
  struct Asked {
    std::vector<Found> found;
    std::vector<std::string> missing;  // one of these would have to answer
    std::vector<std::string> silent;   // may have something that is of no use any more
  };
  struct NameId {
    std::uint64_t bucket, key;
    bool operator==(const NameId&) const = default;
  };
  struct NameIdHash {
    std::size_t operator()(const NameId& id) const { return id.key ^ id.bucket; }
  };

  /// Whether who is the only one to be asked sends the copy with his answer.
  enum class Along : std::uint8_t { kNothing, kCopy };

  static NameId id_of(const store::Key& key);
  /// Whether what this target knows of the name may be on a disk that is out of reach, and others
  /// keep copies of it.
  bool is_forgotten(const ClusterMap& map, const Bucket& bucket, const store::Key& plain) const;
  placement::PastHolders past_holders(const ClusterMap& map,
                                      const Bucket& bucket,
                                      const store::Key& plain,
                                      bool forgotten) const;
  Result<std::vector<store::NameState>> known_here(const store::Key& plain) const;
  /// Has the newest version been written here since the names were placed as they are?
  Result<bool> is_newest(const ClusterMap& map, const store::Key& plain) const;
  Task<Result<Asked>> ask(Context context,
                          const ClusterMap& map,
                          const store::Key& plain,
                          placement::PastHolders past,
                          Along along);
  /// The newest of what was found, when it is newer than what is here, and an object.
  Result<std::optional<Lying>> newest_elsewhere(const store::Key& plain, const Asked& asked) const;
  static Version newest_of(const store::Key& plain, const std::vector<Found>& found);
  Task<Status> take_newest(Context context,
                           const Bucket& bucket,
                           const store::Key& plain,
                           const std::vector<Found>& found,
                           Epoch since,
                           Courtesy::Turn* turn);
  Task<Status> hide_leftovers(Context context,
                              const ClusterMap& map,
                              const store::Key& plain,
                              Need need);
  Task<Result<store::ObjectCopy>> fetch(Context context, const Bucket& bucket, Lying from);
  Task<Status> pull(
      Context context, const Bucket& bucket, Lying from, Epoch since, Courtesy::Turn* turn);
  Result<ChangesUnderWay::Ticket> admit(const store::Key& key, Epoch since);
  bool knows(Epoch since, NameId id) const;
  void remember(Epoch since,
                NameId id,
                std::vector<Found> leftovers,
                const std::vector<std::string>& others);

  store::Store& store_;
  MapSource& maps_;
  Peers& peers_;
  ChangesUnderWay& copying_;
  const std::string node_id_;
  store::KeyLocks locks_;

  // Each name is looked for once; beyond this many all are forgotten, and looked for again.
  static constexpr std::size_t kNamesMax = 2'000'000;
  mutable std::mutex mutex_;
  // Guarded by mutex_.
  Epoch since_ = 0;  // the placement that they hold for
  std::unordered_map<NameId, std::vector<Found>, NameIdHash> home_;  // with what is left elsewhere
};

}  // namespace aisfs::target
