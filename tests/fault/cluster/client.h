// SPDX-License-Identifier: MIT
#pragma once
#include <array>
#include <atomic>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "common/client/replay.h"
#include "tests/fault/cluster/doors.h"
#include "tests/fault/cluster/nodes.h"
#include "tests/kit/history/history.h"

namespace aisfs::tests::storm {

inline const BucketName kBucket = native_bucket("storm");
inline constexpr std::size_t kKeys = 64;
inline constexpr std::uint32_t kOperationsOfKeyMax = 300;  // what the search for an order bears

/// Half of the keys lie in a directory that nobody made.
std::string key_name(std::size_t index);

/// What all clients of a run share. Thread-safe.
class Ledger {
 public:
  /// `rate`: operations a second of all clients together, so that a run's keys last for its time.
  /// `keys`: how many of them are used, the first ones.
  explicit Ledger(double rate, std::size_t keys = kKeys)
      : rate_(rate), keys_(keys), began_(std::chrono::steady_clock::now()) {}

  std::size_t keys() const { return keys_; }
  /// Before the first client: the bucket that they use, which exists.
  void set_bucket(BucketName bucket) { bucket_ = std::move(bucket); }
  const BucketName& bucket() const { return bucket_; }
  /// Before the first client: so many in a hundred operations are listings.
  void set_listings(std::size_t percent) { listings_ = percent; }
  std::size_t listings() const { return listings_; }
  /// Before the first client: some objects are put in parts.
  void set_uploads() { uploads_ = true; }
  bool uploads() const { return uploads_; }

  history::History& history() { return history_; }
  history::ValueId new_value() { return history::ValueId{++values_}; }
  /// Waits until another operation is due. False when the run is over.
  bool wait_turn();
  /// Takes one of the key's operations; false when it has had all.
  bool take(std::size_t key) { return used_[key]++ < kOperationsOfKeyMax; }
  void end() { ending_ = true; }
  bool is_over() const { return ending_; }

  /// A promise that no history shows is broken: bytes and metadata of two objects, an error that
  /// nobody may get.
  void wrong(std::string what);
  /// Before the first client: this error may be got.
  void forgive(Errc code) { forgiven_.insert(code); }
  bool forgives(Errc code) const { return forgiven_.contains(code); }
  std::vector<std::string> wrongs() const;
  void took(Duration time, bool answered);
  /// Of an operation that whoever passes it on may have done twice.
  void may_repeat(std::size_t id);
  std::set<std::size_t> repeatable() const;

  struct Totals {
    std::size_t operations = 0, answered = 0;
    Duration longest{};
  };
  Totals totals() const;
  /// Of the operations that ended since it was last asked.
  Duration take_longest();

 private:
  const double rate_;
  const std::size_t keys_;
  std::size_t listings_ = 3;
  bool uploads_ = false;
  BucketName bucket_ = kBucket;
  const TimePoint began_;
  std::set<Errc> forgiven_;
  history::History history_;
  std::atomic<std::uint64_t> values_ = 0, turns_ = 0;
  std::atomic<bool> ending_ = false;
  std::array<std::atomic<std::uint32_t>, kKeys> used_{};

  mutable std::mutex mutex_;
  std::vector<std::string> wrongs_;   // guarded by mutex_
  Totals totals_;                     // guarded by mutex_
  Duration recent_longest_{};         // guarded by mutex_
  std::set<std::size_t> repeatable_;  // guarded by mutex_
};

/// One client: an operation at a time, each by a way that it draws.
class Client {
 public:
  Client(Ledger& ledger, Doors& doors, std::uint32_t number, std::uint64_t seed);

  /// Until the ledger says that it is over.
  void run();

  // Also for the look at the end, when nothing is drawn: straight to the owner.
  history::Reply get(ObjectApi& api, const std::string& key, Duration time);
  history::Reply head(ObjectApi& api, const std::string& key, Duration time);
  /// All pages of one listing; nullopt when one of them failed.
  std::optional<std::vector<std::string>> list(ObjectApi& api,
                                               const std::string& prefix,
                                               std::uint32_t limit,
                                               Duration time);

 private:
  struct Seen {
    history::ValueId value;
    Version version;
  };

  void step(ObjectApi& api, std::size_t key_index, Duration time);
  void put(ObjectApi& api, const std::string& key, history::OpKind kind, Duration time);
  void remove(ObjectApi& api, const std::string& key, Duration time);
  std::size_t begin(history::Operation operation);
  history::Reply end(std::size_t id, history::Reply reply);
  /// end() of a change.
  void end_change(std::size_t id, Replay replay, history::Reply reply);
  void note(const std::string& key, const history::Reply& reply);

  Ledger& ledger_;
  Doors& doors_;
  const std::uint32_t number_;
  Random random_;
  std::map<std::string, Seen> seen_;  // the last that this client was shown of a key
  std::uint64_t listings_ = 0;
  TimePoint began_;  // of the operation under way
};

}  // namespace aisfs::tests::storm
