// SPDX-License-Identifier: MIT
#pragma once
#include <atomic>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "common/async/clock.h"
#include "common/async/notifier.h"
#include "common/client/object_api.h"
#include "common/disk/io_pool.h"
#include "common/wire/leases.h"

namespace aisfs::target {

/// Which mounts believe what of this target's names (common/wire/leases.h has the protocol).
///
/// A restarted target does not know what was believed: it keeps on disk who had a session, and
/// until each of them has polled again, or a lease is over, it acknowledges no change. Thread-safe.
class Leases {
 public:
  struct Options {
    std::string state_dir;              // absolute; made if missing
    std::size_t names_max = 1'000'000;  // some 100 bytes each; beyond, a mount forgets its own
    std::size_t sessions_max = 10'000;
  };

  /// Blocks on the disk. `maps` and `clock` outlive it.
  static Result<std::unique_ptr<Leases>> open(Options options, MapSource& maps, Clock& clock);

  /// A mount's poll. permission_denied when the session is another user's, overloaded beyond
  /// sessions_max.
  Task<Result<wire::LeasePollReply>> poll(std::string user, wire::LeasePollRequest request);

  /// Whoever asks may believe what is read of the name from now on. Nothing for a request without a
  /// session.
  void grant(const Context& context, BucketId bucket, std::string_view path);

  /// The same for names that were read already, after changes() had that value. False if a change came
  /// in between, so that they must not be believed.
  bool grant(const Context& context,
             BucketId bucket,
             const std::vector<ListEntry>& entries,
             std::uint64_t changes);
  /// How many changes have been announced.
  std::uint64_t changes() const { return changes_; }

  /// A change of a name, from before it can be seen until it is acknowledged. However the operation
  /// ends, whoever believes something of the name hears that it is void.
  class Change {
   public:
    Change(Leases& leases, const Context& context, BucketId bucket, std::string_view path);
    Change(const Change&) = delete;
    Change& operator=(const Change&) = delete;
    ~Change();

    /// After the change, before it is acknowledged: returns when nobody but the requester believes
    /// what was read before. timed_out at the request's deadline.
    Task<Status> told();

   private:
    friend class Leases;
    Leases& leases_;
    std::uint64_t session_;  // the requester's, and whose
    std::string user_;
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
    std::uint64_t number = 0;
    bool all = false;
    wire::ChangedName changed;
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
  Notifier polled_;                // whoever waits for mounts looks again
  Notifier changed_;               // polls look again
  std::atomic<std::uint64_t> changes_ = 0;
  std::atomic<bool> any_ = false;  // sessions, of now or before the start

  std::mutex mutex_;
  // Guarded by mutex_.
  Sessions sessions_;
  /// By a hash of bucket and path. Two names of one hash would share a hold, and lose it together
  /// unheard: among a million names one chance in some thirty million.
  std::unordered_multimap<std::uint64_t, std::uint64_t> holders_;  // -> session
  std::set<std::uint64_t> old_;  // sessions before the start that have not polled since
  TimePoint old_until_;
  bool closed_ = false;
};

}  // namespace aisfs::target
