// SPDX-License-Identifier: MIT
#include "node/target/replicator.h"

#include <algorithm>

#include "common/async/gather.h"
#include "common/base/text.h"
#include "common/client/retry.h"
#include "common/disk/atomic_file.h"
#include "common/obs/log.h"
#include "common/placement/hrw.h"
#include "node/target/copy_streams.h"
#include "node/target/mirrored.h"
#include "node/target/name_hash.h"

namespace aisfs::target {
namespace {

using store::Key;
using store::NameState;

const std::string kStateFile = "replicated";
constexpr std::size_t kStateBytesMax = 64;
constexpr Duration kReplicateMax = std::chrono::seconds(30);  // without a deadline of the request
constexpr Duration kStreamMax = std::chrono::seconds(20);     // until a streamed copy is durable
constexpr Duration kRound = std::chrono::seconds(1);
constexpr std::size_t kSettledAtOnce = 64;

}  // namespace

Result<std::unique_ptr<Replicator>> Replicator::open(Deps deps) {
  TRY(UniqueFd root, disk::open_root(deps.state_dir));
  const std::uint64_t known = noted_in(deps.state_dir);
  return std::unique_ptr<Replicator>(new Replicator(std::move(deps), std::move(root), known));
}

/// Without the file nothing is known of what is here.
std::uint64_t Replicator::noted_in(const std::string& state_dir) {
  const auto root = disk::open_root(state_dir);
  if (!root) return 0;
  const auto bytes = disk::read_file(root->get(), kStateFile, kStateBytesMax);
  return bytes ? parse_u64(*bytes).value_or(0) : 0;
}

std::uint64_t Replicator::replicated_until() const {
  const std::uint64_t last = deps_.store.last_version().hlc;
  const std::lock_guard lock(mutex_);
  return oldest_open(last);
}

/// Of the clocks of changes that may not have all their copies, `clock` among them.
std::uint64_t Replicator::oldest_open(std::uint64_t clock) const {
  if (!looked_back_) clock = std::min<std::uint64_t>(clock, known_);
  for (const auto& [_, open] : changes_) clock = std::min(clock, open.clock);
  return clock;
}

// --- changes that are open ----------------------------------------------------------------------

Result<Replicator::Change> Replicator::begin(const Key& key, Version version) {
  TRY(const Version before, deps_.store.next_version());
  // What is newer than the clock of the state file is compared after a restart.
  const std::uint64_t clock = version ? std::min(version.hlc - 1, before.hlc) : before.hlc;
  Open open{.key = plain_of(key), .clock = clock};
  const std::uint64_t name = name_hash(open.key);
  const std::lock_guard lock(mutex_);
  const std::uint64_t seq = next_seq_++;
  by_name_[name].insert(seq);
  by_bucket_[key.bucket].insert(seq);
  changes_.emplace(seq, std::move(open));
  open_.fetch_add(1, std::memory_order_acq_rel);
  return Change(*this, seq);
}

void Replicator::end(std::uint64_t seq) {
  {
    const std::lock_guard lock(mutex_);
    const auto it = changes_.find(seq);
    if (it == changes_.end()) return;
    const auto name = by_name_.find(name_hash(it->second.key));
    name->second.erase(seq);
    if (name->second.empty()) by_name_.erase(name);
    const auto bucket = by_bucket_.find(it->second.key.bucket);
    bucket->second.erase(seq);
    if (bucket->second.empty()) by_bucket_.erase(bucket);
    changes_.erase(it);
  }
  open_.fetch_sub(1, std::memory_order_acq_rel);
  ended_.notify();
}

void Replicator::leave(std::uint64_t seq) {
  const std::lock_guard lock(mutex_);
  if (const auto it = changes_.find(seq); it != changes_.end()) it->second.left = true;
}

bool Replicator::is_replicated(const Key& key) const {
  if (is_idle()) return true;
  if (!looked_back_) return false;
  const std::lock_guard lock(mutex_);
  return !by_name_.contains(name_hash(plain_of(key)));
}

bool Replicator::has_told_owners() const {
  const MapSnapshot map = deps_.maps.current();
  const bool mirrors = std::any_of(map->buckets.begin(), map->buckets.end(),
                                   [](const auto& entry) { return is_mirrored(&entry.second); });
  if (!mirrors) return true;
  if (!looked_back_ && told_for_ != map->placement.since) return false;
  const std::lock_guard lock(mutex_);
  return std::none_of(changes_.begin(), changes_.end(), [&](const auto& entry) {
    const NodeInfo* owner = placement::owner_of(*map, entry.second.key.name);
    return entry.second.left && owner != nullptr && owner->id != deps_.node_id;
  });
}

template <class Oldest>
Task<Status> Replicator::wait_for(std::uint64_t until, Deadline deadline, Oldest oldest) {
  const std::uint64_t losses = deps_.store.losses();
  for (;;) {
    const auto seen = ended_.count();
    {
      const std::lock_guard lock(mutex_);
      const Seqs* open = oldest();
      if (open == nullptr || *open->begin() >= until) break;
    }
    if (deadline.expired()) co_return not_there_yet("what was changed");
    co_await ended_.wait(seen, deadline);
  }
  // What was read may have gone with its disk, and an older state got its copies.
  if (deps_.store.losses() != losses) co_return not_there_yet("what was read");
  co_return Status{};
}

Task<Status> Replicator::seen(Context context, Key key) {
  if (is_idle()) co_return Status{};
  const Key plain = plain_of(std::move(key));
  const MapSnapshot map = deps_.maps.current();
  if (!is_mirrored(deps_.store, map->find_bucket(plain.bucket))) co_return Status{};
  const Deadline deadline = context.deadline.earlier(Deadline::after(kReplicateMax));
  if (!looked_back_) {
    CO_TRY(const auto states, deps_.store.states_of(plain));
    const bool doubted = std::any_of(states.begin(), states.end(),
                                     [this](const NameState& state) { return is_doubted(state); });
    if (doubted) CO_CHECK_OK(co_await replicate(std::move(context), plain, Kind::kOther));
  }
  const std::uint64_t name = name_hash(plain);
  const auto oldest = [this, name]() -> const Seqs* {
    const auto it = by_name_.find(name);
    return it == by_name_.end() ? nullptr : &it->second;
  };
  std::uint64_t until = 0;
  {
    const std::lock_guard lock(mutex_);
    until = next_seq_;
  }
  co_return co_await wait_for(until, deadline, oldest);
}

Task<Status> Replicator::seen_all(Context context, BucketId bucket) {
  if (is_idle()) co_return Status{};
  if (!is_mirrored(deps_.store, deps_.maps.current()->find_bucket(bucket))) co_return Status{};
  const Deadline deadline = context.deadline.earlier(Deadline::after(kReplicateMax));
  while (!looked_back_) {
    const auto seen = ended_.count();
    if (looked_back_) break;
    if (deadline.expired()) co_return not_there_yet("what was changed before a restart");
    co_await ended_.wait(seen, deadline);
  }
  const auto oldest = [this, bucket]() -> const Seqs* {
    const auto it = by_bucket_.find(bucket);
    return it == by_bucket_.end() ? nullptr : &it->second;
  };
  std::uint64_t until = 0;
  {
    const std::lock_guard lock(mutex_);
    until = next_seq_;
  }
  co_return co_await wait_for(until, deadline, oldest);
}

// --- sending ------------------------------------------------------------------------------------

Context Replicator::context_of(const ClusterMap& map, Deadline deadline) const {
  Context context{
      .who = auth::node_identity(deps_.node_id), .deadline = deadline, .trace = "replicate"};
  context.epoch = map.epoch;
  return context;
}

/// By the map of after the change: a holder that has come since gets it too, or the walk after that
/// map meets the name as it is now.
Task<Status> Replicator::replicate(Context context, Key key, Kind kind, CopyStreams* streams) {
  const Key plain = plain_of(std::move(key));
  CO_TRY(const auto there, deps_.store.states_of(plain));
  const Deadline deadline =
      context.deadline.earlier(Deadline::after(kReplicateMax + time_of_call(bytes_of(there))));
  const auto guard = co_await sending_.lock(name_hash(plain));
  Backoff backoff;
  for (;;) {
    const MapSnapshot map = deps_.maps.current();
    const Bucket* bucket = map->find_bucket(plain.bucket);
    if (!is_mirrored(deps_.store, bucket)) co_return Status{};
    const Status sent = co_await send_to_all(map, *bucket, plain, kind, streams, deadline);
    const MapSnapshot now = deps_.maps.current();
    if (sent && now->placement.since == map->placement.since) co_return Status{};
    if (!sent) {
      const NodeInfo* owner = placement::owner_of(*now, plain.name);
      if (owner != nullptr && owner->id != deps_.node_id) {
        co_return Error(Errc::stale_map, plain.display() + " belongs to another target by now");
      }
      kind = Kind::kOther;
      if (now->epoch != map->epoch || co_await backoff.wait(deadline)) continue;
      co_return Error(Errc::not_ready,
                      not_there_yet(plain.display()).what() + ": " + sent.error().what());
    }
  }
}

Status Replicator::check_targets(const ClusterMap& map, const Bucket& bucket) {
  const std::size_t active = map.active_targets().size();
  if (active >= bucket.props.copies) return {};
  return Error(Errc::not_ready, "bucket \"" + bucket.name.display() + "\" keeps " +
                                    std::to_string(bucket.props.copies) + " copies and only " +
                                    std::to_string(active) + " targets are active; bring one back");
}

Task<Status> Replicator::sync(Context context, const Bucket& bucket, Key key) {
  // Slices lie where their names would.
  const unsigned parts = std::max<unsigned>(bucket.props.copies, bucket.props.erasure.slices());
  if (parts == 1) co_return Status{};
  const MapSnapshot map = deps_.maps.current();
  const Context own = context_of(*map, context.deadline);
  std::vector<Task<Status>> calls;
  for (const NodeInfo* holder : placement::holders_of(*map, key.name, parts)) {
    if (holder->id == deps_.node_id) continue;
    calls.push_back(deps_.peers.sync_copy(own, holder->id, bucket.name, key.key()));
  }
  for (Status& one : co_await gather(std::move(calls))) CO_CHECK_OK(std::move(one));
  co_return Status{};
}

Task<Status> Replicator::send_to_all(const MapSnapshot& map,
                                     const Bucket& bucket,
                                     const Key& plain,
                                     Kind kind,
                                     CopyStreams* streams,
                                     Deadline deadline) {
  CO_CHECK_OK(check_targets(*map, bucket));
  const auto holders = placement::holders_of(*map, plain.name, bucket.props.copies);
  if (holders[0]->id != deps_.node_id) co_return Error(Errc::stale_map, plain.display());
  std::vector<Task<Status>> calls;
  for (std::size_t i = 1; i < holders.size(); ++i) {
    calls.push_back(send_to(map, bucket, holders[i]->id, plain, kind, streams, deadline));
  }
  calls.push_back(copy_to_disks(plain));
  for (Status& one : co_await gather(std::move(calls))) CO_CHECK_OK(std::move(one));
  co_return Status{};
}

/// Other holders do it for themselves. A reference is made a plain object by who has made it.
Task<Status> Replicator::copy_to_disks(const Key& plain) {
  CO_TRY([[maybe_unused]] const bool whole, co_await deps_.store.copy_to_disks(plain));
  co_return Status{};
}

Task<Status> Replicator::send_to(const MapSnapshot& map,
                                 const Bucket& bucket,
                                 std::string holder,
                                 const Key& plain,
                                 Kind kind,
                                 CopyStreams* streams,
                                 Deadline deadline) {
  CO_TRY(auto states, deps_.store.states_of(plain));
  if (states.empty()) co_return Status{};  // it was never here
  const Context context = context_of(*map, deadline);
  const NameState& now = states.front();
  const bool alone = states.size() == 1 && now.key == plain.key();
  if (alone && now.kind != NameState::Kind::kTombstone) {
    if (kind == Kind::kAttributes) {
      CO_TRY(const bool taken, co_await send_attributes(context, holder, bucket, plain));
      if (taken) co_return Status{};
    }
    if (kind != Kind::kOther) {
      Status sent = co_await send_content(context, holder, bucket, now, streams);
      if (sent || sent.error() != Errc::stale_map) co_return sent;
    }
  }
  co_return co_await send_lacking(context, std::move(holder), bucket, std::move(states), true);
}

Task<Status> Replicator::send_content(Context context,
                                      std::string holder,
                                      const Bucket& bucket,
                                      NameState state,
                                      CopyStreams* streams) {
  context.deadline = context.deadline.earlier(Deadline::after(time_of_call(state.size)));
  CO_TRY(store::ObjectCopy copy,
         co_await deps_.peers.fetch_copy(context, deps_.node_id, bucket.name, std::move(state)));
  if (streams != nullptr && !copy.meta.reference) {
    const CopyEnd end{.meta = copy.meta, .epoch = context.epoch};
    const Deadline answered = context.deadline.earlier(Deadline::after(kStreamMax));
    const Status has = co_await streams->finish(holder, end, answered);
    if (has) co_return has;
  }
  co_return co_await deps_.peers.take_copy(std::move(context), std::move(holder), bucket.name,
                                           std::move(copy.meta), *copy.body);
}

Task<Result<bool>> Replicator::send_attributes(Context context,
                                               std::string holder,
                                               const Bucket& bucket,
                                               const Key& plain) {
  const auto form = deps_.store.resolve(plain);
  if (!form || *form) co_return false;  // the whole state goes
  auto info = co_await deps_.store.head(plain);
  if (!info && info.error() == Errc::not_found) co_return false;
  if (!info) co_return std::move(info).error();
  context.deadline = context.deadline.earlier(Deadline::after(kCopyCallMax));
  co_return co_await deps_.peers.take_attributes(std::move(context), std::move(holder), bucket.name,
                                                 plain.key(), *std::move(info));
}

Task<Status> Replicator::send_lacking(Context context,
                                      std::string holder,
                                      const Bucket& bucket,
                                      std::vector<NameState> states,
                                      bool whole) {
  Context asks = context;
  asks.deadline = context.deadline.earlier(Deadline::after(kCopyCallMax));
  CO_TRY(const auto lacks,
         co_await deps_.peers.lacks_copies(std::move(asks), holder, bucket.name, states, whole));
  // The oldest first, so that at no time the current version is there without those before it.
  for (std::size_t i = std::min(states.size(), lacks.size()); i-- > 0;) {
    if (!lacks[i]) continue;
    Status sent = co_await send_content(context, holder, bucket, std::move(states[i]));
    // It has gone meanwhile: what has come instead is to be sent, or is by who has done that.
    if (!sent && sent.error() == Errc::not_found && whole)
      co_return not_there_yet(bucket.name.display());
    if (!sent && sent.error() != Errc::not_found) co_return sent;
  }
  co_return Status{};
}

Task<Result<bool>> Replicator::send_missing(MapSnapshot map,
                                            const Bucket& bucket,
                                            std::string holder,
                                            std::vector<NameState> states) {
  const Deadline deadline = Deadline::after(kReplicateMax + time_of_call(bytes_of(states)));
  const Context context = context_of(*map, deadline);
  constexpr bool kParts = false;
  const Status sent =
      co_await send_lacking(context, std::move(holder), bucket, std::move(states), kParts);
  if (sent) co_return true;
  // What has changed meanwhile was sent by its change, or is seen by the next walk.
  if (sent.error() == Errc::stale_map && deps_.maps.current()->epoch == map->epoch) co_return false;
  co_return sent.error();
}

// --- in the background --------------------------------------------------------------------------

Task<void> Replicator::run() {
  while (co_await deps_.clock.sleep(kRound)) {
    if (!looked_back_) {
      const Status looked = co_await look_back();
      if (!looked) LOG_INFO("copies not compared yet", "why", looked.error().what());
    }
    (void)co_await settle();
    const Status noted = co_await note_clock();
    if (!noted) LOG_WARN("state of copies cannot be written", "why", noted.error().what());
  }
}

Task<std::size_t> Replicator::settle() {
  std::vector<std::pair<std::uint64_t, Key>> left;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [seq, open] : changes_) {
      if (open.left && left.size() < kSettledAtOnce) left.emplace_back(seq, open.key);
    }
  }
  std::vector<Task<Status>> calls;
  for (const auto& one : left) {
    calls.push_back(settle_one(one.second));
  }
  const std::vector<Status> results = co_await gather(std::move(calls));
  std::size_t open = 0;
  for (std::size_t i = 0; i < results.size(); ++i) {
    results[i] ? end(left[i].first) : void(++open);
  }
  co_return open;
}

Task<Status> Replicator::settle_one(Key plain) {
  const auto there = deps_.store.states_of(plain);
  const Duration time = time_of_call(there ? bytes_of(*there) : 0);
  Context context = context_of(*deps_.maps.current(), Deadline::after(time));
  Status done = co_await replicate(std::move(context), plain, Kind::kOther);
  if (!done && done.error() == Errc::stale_map) done = co_await tell_owner(std::move(plain));
  co_return done;
}

/// An older file after power loss makes a restart compare more, no less.
Task<Status> Replicator::note_clock() {
  const auto guard = co_await noting_.lock(0);
  CO_TRY(const Version now, deps_.store.next_version());
  std::uint64_t clock = now.hlc;
  {
    const std::lock_guard lock(mutex_);
    if (next_seq_ == noted_seq_ && changes_.empty()) co_return Status{};
    clock = oldest_open(clock);
    noted_seq_ = changes_.empty() ? next_seq_ : 0;
  }
  if (clock == noted_) co_return Status{};
  auto write = [this, clock] {
    return disk::write_file_atomically(root_.get(), kStateFile, std::to_string(clock));
  };
  CO_CHECK_OK(co_await deps_.io.run(std::move(write)));
  noted_ = clock;
  co_return Status{};
}

}  // namespace aisfs::target
