// SPDX-License-Identifier: MIT
#pragma once
#include <atomic>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "common/async/clock.h"
#include "common/async/notifier.h"
#include "common/client/object_api.h"
#include "common/disk/io_pool.h"
#include "common/wire/leases.h"

namespace aisfs::target {

/// Which mounts believe what of this target's names, and which directories are delegated to them
/// (common/wire/leases.h has the protocol).
///
/// A restarted target does not know what was believed: it keeps on disk who had a session, and
/// until each of them has polled again, or a lease is over, it acknowledges no change. Thread-safe.
class Leases {
 public:
  struct Options {
    std::string state_dir;              // absolute; made if missing
    std::size_t names_max = 1'000'000;  // some 100 bytes each; beyond, a mount forgets its own
    std::size_t sessions_max = 10'000;
    std::size_t delegations_max = 1'000;  // of a session; each is looked at by every request
  };

  /// Blocks on the disk. `maps` and `clock` outlive it.
  static Result<std::unique_ptr<Leases>> open(Options options, MapSource& maps, Clock& clock);

  /// A mount's poll. permission_denied when the session is another user's, overloaded beyond
  /// sessions_max.
  Task<Result<wire::LeasePollReply>> poll(std::string user, wire::LeasePollRequest request);

  /// Whoever asks may believe what is read of the name from now on. Nothing for a request without a
  /// session.
  void grant(const Context& context, BucketId bucket, std::string_view path);

  /// The same for names that were read already, after changes() had that value. False if a change
  /// came in between, so that they must not be believed.
  bool grant(const Context& context,
             BucketId bucket,
             const std::vector<ListEntry>& entries,
             std::uint64_t changes);
  /// How many changes have been announced.
  std::uint64_t changes() const { return changes_; }

  // --- delegated directories -------------------------------------------------------------------

  /// Whether something that is about to be read or changed concerns a delegated directory.
  using Concerns = std::function<bool(std::string_view directory)>;
  /// The name lies below the directory. What all three name outlives them.
  static Concerns below(std::string_view path);
  /// It is the directory, or lies below it.
  static Concerns change_of(std::string_view path);
  /// So does a part of the tree at the path.
  static Concerns tree(std::string_view path);
  /// The listing shows names from below it.
  static Concerns listing(const ListOptions& options);

  /// Delegates the directory to the requester's session. busy while others are at work below it or
  /// have it, which is recalled then; precondition_failed without a session that is confirmed;
  /// overloaded. `id`: wire::DelegateRequest's; a newer one replaces that of the same directory.
  Status delegate(const Context& context, std::uint64_t id, BucketId bucket, std::string path);
  void give_back(const Context& context, std::uint64_t id);
  /// Returns when nobody but the requester has a directory that is concerned; timed_out at the
  /// deadline. A node's own work concerns nobody.
  Task<Status> recall(Context context, BucketId bucket, Concerns concerns);
  /// Whether anybody has a directory.
  bool delegates() const { return delegated_ != 0; }
  /// Whether the requester has the directory, or one above it: it cannot go without his hearing of
  /// it (LocalTarget::close_dir).
  bool has(const Context& context, BucketId bucket, std::string_view directory);
  /// Whether recall() of the name would wait.
  bool is_delegated(const Context& context, BucketId bucket, std::string_view path);

  /// A change of a name, from before it can be seen until it is acknowledged. However the operation
  /// ends, whoever believes something of the name hears that it is void.
  class Change {
   public:
    Change(Leases& leases, const Context& context, BucketId bucket, std::string_view path);
    Change(const Change&) = delete;
    Change& operator=(const Change&) = delete;
    ~Change();

    /// Before the change: recalls what others have been delegated. What is delegated from now on
    /// does not concern it.
    Task<Status> alone();
    /// After the change, before it is acknowledged: returns when nobody but the requester believes
    /// what was read before. timed_out at the request's deadline.
    Task<Status> told();

   private:
    friend class Leases;
    Leases& leases_;
    std::uint64_t session_;  // the requester's, and whose
    std::string user_;
    bool of_node_;  // a node's own work, that changes nothing a mount can see
    Deadline deadline_;
    wire::ChangedName name_;
    bool announced_ = false;
  };

  /// Polls that wait are answered; later ones are refused.
  void close();

  /// Returns when nobody believes anything by a map older than `epoch`; false at the deadline.
  Task<bool> wait_for_epoch(Epoch epoch, Deadline deadline);

 private:
  struct Event {
    enum class Kind : std::uint8_t { kChange, kAll, kRecall };
    std::uint64_t number = 0;
    Kind kind = Kind::kChange;
    wire::ChangedName name;
    std::uint64_t id = 0;  // of the delegation
  };
  struct Session {
    std::string user;
    bool confirmed = false;  // it knows that it begins at this instance
    Epoch epoch = 0;
    TimePoint ends;
    std::uint64_t last = 0, heard = 0;
    std::uint64_t all_at = 0;  // the event that voids everything granted before it
    std::size_t names = 0;
    std::deque<Event> events;
  };
  struct Requester {
    std::uint64_t session = 0;
    std::string user;
  };
  struct Delegation {
    std::uint64_t session = 0, id = 0;
    wire::ChangedName directory;
    std::uint64_t recall = 0;  // the event's number; 0: not recalled
    TimePoint recalled_at;
  };
  struct Awaited {
    std::uint64_t session = 0;
    std::uint64_t number = 0;
  };
  using Sessions = std::map<std::uint64_t, Session>;

  Leases(Options options, MapSource& maps, Clock& clock);

  // With the lock.
  void grant_one(std::uint64_t id, Session& session, BucketId bucket, std::string_view path);
  Session* believer(const Context& context);
  /// True for a session that is new, or new to this instance.
  Result<bool> enter(const std::string& user, const wire::LeasePollRequest& request);
  wire::LeasePollReply reply_of(Session& session, Epoch known);
  void add_event(Session& session, Event event);
  void drop_names(std::uint64_t session);
  void drop_delegations(std::uint64_t session);
  void count_delegations() { delegated_ = delegations_.size(); }
  /// Recalls what is concerned; whether all of it has been given back, or is over.
  bool is_alone(const Requester& own, BucketId bucket, const Concerns& concerns, TimePoint now);
  Task<Status> wait_alone(Requester own, BucketId bucket, Concerns concerns, Deadline deadline);
  void sweep(TimePoint now);
  bool is_own(std::uint64_t id, std::uint64_t session, const std::string& user) const;
  std::vector<Awaited> announce(const Change& change);
  void make_room();
  /// Whether the wait is over; else the moment when it is at the latest.
  bool has_heard(std::vector<Awaited>& awaited, TimePoint now, TimePoint& until);
  bool has_epoch(Epoch epoch, TimePoint now, TimePoint& until);
  bool old_are_over(TimePoint now, TimePoint& until);

  /// One that has come or gone is on disk before anything is granted to it.
  Task<Status> save_sessions();
  template <class Over>
  Task<bool> wait(Deadline deadline, Over over);

  const Options options_;
  const std::string instance_;
  MapSource& maps_;
  Clock& clock_;
  disk::IoPool io_{{.threads = 1}};
  Notifier polled_;   // whoever waits for mounts looks again
  Notifier changed_;  // polls look again
  std::atomic<std::uint64_t> changes_ = 0;
  std::atomic<bool> any_ = false;  // sessions, of now or before the start
  std::atomic<std::size_t> delegated_ = 0;

  std::mutex mutex_;
  // Guarded by mutex_.
  Sessions sessions_;
  /// By a hash of bucket and path. Two names of one hash would share a hold, and lose it together
  /// unheard: among a million names one chance in some thirty million.
  std::unordered_multimap<std::uint64_t, std::uint64_t> holders_;  // -> session
  std::vector<Delegation> delegations_;
  std::unordered_set<const Change*> under_way_;
  std::set<std::uint64_t> old_;  // sessions before the start that have not polled since
  TimePoint old_until_;
  bool closed_ = false;
};

}  // namespace aisfs::target
