// SPDX-License-Identifier: MIT
#include "node/target/scrubber.h"

#include <algorithm>

#include "common/async/gather.h"
#include "common/disk/atomic_file.h"
#include "common/model/version_key.h"
#include "common/obs/log.h"
#include "common/placement/hrw.h"
#include "common/wire/envelope.h"

namespace aisfs::target {
namespace {

using store::NameState;
using Verdict = Healer::Verdict;

const std::string kStateFile = "scrub";
constexpr std::size_t kStateBytesMax = 16_MiB;
constexpr Duration kLookEvery = std::chrono::seconds(1);
constexpr Duration kSaveEvery = std::chrono::seconds(30);
constexpr std::size_t kPage = 256;
constexpr std::size_t kAskedAtOnce = 32;
constexpr Duration kOfferMax = std::chrono::minutes(2);
// What the smallest object counts for: opening it costs the disk more than its bytes.
constexpr std::uint64_t kNameBytes = 16_KiB;
// Behind the rate by less than this nobody sleeps.
constexpr Duration kSleepMin = std::chrono::milliseconds(5);

/// The numbers of the mountpaths have changed.
void restart(ScrubState& state, std::size_t mountpaths) {
  state.mountpaths = mountpaths;
  state.mountpath = 0;
  state.bucket = {};
  state.after.clear();
}

}  // namespace

template <class Edit>
void Scrubber::note(Edit edit) {
  const std::lock_guard lock(mutex_);
  edit(state_);
}

Result<std::unique_ptr<Scrubber>> Scrubber::open(Deps deps) {
  TRY(UniqueFd root, disk::open_root(deps.state_dir));
  ScrubState state{.idle_ns = deps.clock.unix_ns()};
  if (const auto bytes = disk::read_file(root.get(), kStateFile, kStateBytesMax)) {
    auto known = wire::decode<ScrubState>(*bytes);
    if (known) state = *std::move(known);
    if (!known) LOG_WARN("the state of the scrub is lost", "why", known.error().what());
  }
  if (const std::size_t count = deps.store.mountpath_count(); state.mountpaths != count) {
    restart(state, count);
  }
  const MapSnapshot map = deps.maps.current();
  for (const DamagedName& name : std::exchange(state.progress.names, {})) {
    const Bucket* bucket = map->find_bucket(name.bucket);
    if (bucket != nullptr) {
      deps.healer.suspect(store::make_key(bucket->id, {name.bucket, name.key}));
    }
  }
  return std::unique_ptr<Scrubber>(
      new Scrubber(std::move(deps), std::move(root), std::move(state)));
}

// --- when ---------------------------------------------------------------------------------------

void Scrubber::start() {
  const auto capacity = deps_.store.capacity();
  const std::lock_guard lock(mutex_);
  if (state_.progress.running) return;
  stop_ = false;
  state_ = {.idle_ns = state_.idle_ns, .mountpaths = deps_.store.mountpath_count()};
  state_.progress.running = true;
  state_.progress.started_ns = deps_.clock.unix_ns();
  state_.progress.objects_total = capacity ? capacity->objects : 0;
}

void Scrubber::stop() {
  const std::lock_guard lock(mutex_);
  stop_ = state_.progress.running;
}

bool Scrubber::is_stopped() const {
  const std::lock_guard lock(mutex_);
  return stop_;
}

/// The last pass has ended: completely, or because it was stopped.
void Scrubber::finish() {
  const std::lock_guard lock(mutex_);
  stop_ = false;
  state_.progress.running = false;
  state_.progress.ended_ns = state_.idle_ns = deps_.clock.unix_ns();
  state_.mountpath = 0;
  state_.bucket = {};
  state_.after.clear();
}

bool Scrubber::is_due() const {
  if (deps_.interval == Duration::zero()) return false;
  const std::lock_guard lock(mutex_);
  return deps_.clock.unix_ns() - state_.idle_ns >= deps_.interval.count();
}

std::vector<DamagedName> Scrubber::damages() const {
  std::vector<DamagedName> all = deps_.healer.damages();
  std::vector<DamagedName> sliced = deps_.slicer.damages();
  all.insert(all.end(), std::make_move_iterator(sliced.begin()),
             std::make_move_iterator(sliced.end()));
  return all;
}

ScrubProgress Scrubber::progress() const {
  ScrubProgress progress;
  {
    const std::lock_guard lock(mutex_);
    progress = state_.progress;
    if (!progress.running && deps_.interval != Duration::zero()) {
      progress.next_ns = state_.idle_ns + deps_.interval.count();
    }
  }
  progress.names = damages();
  return progress;
}

Task<void> Scrubber::run() {
  while (co_await deps_.clock.sleep(kLookEvery)) {
    const NodeInfo* self = deps_.maps.current()->find_node(deps_.node_id);
    if (self == nullptr || self->state != NodeState::kActive) continue;
    if (is_due()) start();
    if (progress().running) {
      const Status done = co_await pass();
      if (!done) LOG_INFO("scrub not finished", "why", done.error().what());
    }
    co_await save_if_due();
  }
}

Task<Status> Scrubber::pass() {
  deps_.slicer.look_again();  // who owns a name sees what others lack
  const Status walked = co_await walk();
  if (!walked && !is_stopped()) co_return walked;  // it goes on later
  finish();
  const ScrubProgress p = progress();
  LOG_INFO("scrub ended", "complete", walked.ok(), "objects", p.objects, "bytes", p.bytes,
           "damaged", p.damaged, "healed", p.healed, "lost", p.lost);
  co_await save();
  co_return walked;
}

// --- what ---------------------------------------------------------------------------------------

Task<Status> Scrubber::walk() {
  ScrubState from;
  note([&from, count = deps_.store.mountpath_count()](ScrubState& state) {
    if (state.mountpaths != count) restart(state, count);
    from = state;
  });
  for (std::size_t mp = from.mountpath; mp < deps_.store.mountpath_count(); ++mp) {
    for (const auto& known : deps_.store.buckets_on(mp)) {
      const bool is_first = mp == from.mountpath;
      if (is_first && known.first < from.bucket) continue;
      const Bucket* bucket = deps_.maps.current()->find_bucket(known.first);
      if (bucket == nullptr) continue;
      const Bucket copy = *bucket;
      std::string after = is_first && known.first == from.bucket ? from.after : "";
      CO_CHECK_OK(co_await walk_names(mp, copy, std::move(after)));
      CO_CHECK_OK(co_await walk_slices(mp, copy));
    }
  }
  co_return Status{};
}

Task<Status> Scrubber::walk_names(std::size_t mountpath, const Bucket& bucket, std::string after) {
  store::Store::NamesOptions options{.after = std::move(after), .limit = kPage};
  for (bool more = true; more;) {
    CO_TRY(store::NamePage page, co_await deps_.store.names_on(mountpath, bucket.id, options));
    more = page.more;
    options.after = std::move(page.next);
    const MapSnapshot map = deps_.maps.current();
    for (NameState& state : page.names) {
      std::string key = state.key;
      CO_CHECK_OK(co_await look_at(map, bucket, std::move(state)));
      note([&](ScrubState& now) {
        now.mountpath = mountpath;
        now.bucket = bucket.id;
        now.after = std::move(key);
      });
      if (deps_.clock.now() - saved_at_ < kSaveEvery) continue;
      co_await send_shares(map, bucket);
      co_await save();
    }
    co_await send_shares(map, bucket);
  }
  co_return Status{};
}

/// A restart in between begins with the bucket's slices again.
Task<Status> Scrubber::walk_slices(std::size_t mountpath, const Bucket& bucket) {
  std::string after;
  for (bool more = true; more;) {
    CO_TRY(store::SlicePage page,
           co_await deps_.store.slices_on(mountpath, bucket.id, std::move(after), kPage));
    more = page.more;
    after = std::move(page.next);
    for (const store::HeldSlice& slice : page.slices) {
      CO_CHECK_OK(co_await pace(slice.bytes));
      const Status good =
          co_await deps_.store.verify_slice(bucket.id, bucket.name, slice.content, slice.index);
      const bool damaged = !good && good.error() == Errc::corrupt;
      note([&](ScrubState& now) {
        ++now.progress.objects;
        now.progress.bytes += slice.bytes;
        now.progress.damaged += damaged ? 1 : 0;
      });
      if (damaged) co_await tell_owner(bucket, slice);
    }
    co_await save_if_due();
  }
  co_return Status{};
}

/// Who makes it anew; else he finds it himself, later.
Task<void> Scrubber::tell_owner(const Bucket& bucket, const store::HeldSlice& slice) {
  const MapSnapshot map = deps_.maps.current();
  const ObjectName name{bucket.name, std::string(store::sliced_key(slice.content))};
  const NodeInfo* owner = placement::owner_of(*map, name);
  if (owner == nullptr) co_return;
  Context context{.who = auth::node_identity(deps_.node_id),
                  .deadline = Deadline::after(kOfferMax),
                  .trace = "scrub"};
  context.epoch = map->epoch;
  std::vector<std::string> keys{name.key};
  const Status told = co_await deps_.peers.slices().miss_slices(std::move(context), owner->id,
                                                                bucket.name, std::move(keys));
  if (told) note([](ScrubState& now) { ++now.progress.healed; });
  if (!told) LOG_INFO("an owner does not answer", "target", owner->id, "why", told.error().what());
}

Task<Status> Scrubber::look_at(const MapSnapshot& map, const Bucket& bucket, NameState state) {
  const store::Key key = store::make_key(bucket.id, {bucket.name, state.key});
  const auto holders = placement::holders_of(*map, key.name, bucket.props.copies);
  const bool holds = std::any_of(holders.begin(), holders.end(), [this](const NodeInfo* holder) {
    return holder->id == deps_.node_id;
  });
  if (!holds) co_return Status{};  // it goes soon
  CO_CHECK_OK(co_await pace(kNameBytes));
  store::Store::Pace pace = [this](std::uint64_t bytes) { return this->pace(bytes); };
  const auto checked = co_await deps_.healer.check(key, std::move(pace));
  if (is_stopped()) co_return Error(Errc::cancelled, "it was stopped");
  if (!checked && checked.error() == Errc::cancelled) co_return checked.error();
  if (!checked) LOG_INFO("not scrubbed", "object", key.display(), "why", checked.error().what());
  const Verdict verdict = checked ? checked->verdict : Verdict::kGood;
  note([&](ScrubState& now) {
    ++now.progress.objects;
    now.progress.bytes += checked ? checked->bytes : 0;
    now.progress.damaged += verdict == Verdict::kGood ? 0 : 1;
    now.progress.healed += verdict == Verdict::kHealed ? 1 : 0;
    now.progress.lost += verdict == Verdict::kLost ? 1 : 0;
  });
  if (holders[0]->id == deps_.node_id) {
    for (std::size_t i = 1; i < holders.size(); ++i) own_[holders[i]->id].push_back(state);
  } else if (!is_version_key(state.key) && verdict != Verdict::kLost) {
    others_[holders[0]->id].push_back(std::move(state));
  }
  co_return Status{};
}

/// What does not succeed is tried by the next pass, and by the Rebalancer after a change of
/// targets.
Task<void> Scrubber::send_shares(const MapSnapshot& map, const Bucket& bucket) {
  for (auto& [holder, states] : std::exchange(own_, {})) {
    const auto sent =
        co_await deps_.replicator.send_missing(map, bucket, holder, std::move(states));
    if (!sent) LOG_INFO("a holder does not answer", "target", holder, "why", sent.error().what());
  }
  for (auto& [owner, states] : std::exchange(others_, {})) {
    co_await offer_lost(map, bucket, owner, std::move(states));
  }
}

/// An owner who has not even a tombstone has lost the name, with a file that a restart could not
/// read. While names move he may not have got it yet.
Task<void> Scrubber::offer_lost(const MapSnapshot& map,
                                const Bucket& bucket,
                                std::string owner,
                                std::vector<NameState> states) {
  if (!map->placement.settled()) co_return;
  Context context{.who = auth::node_identity(deps_.node_id),
                  .deadline = Deadline::after(kOfferMax),
                  .trace = "scrub"};
  context.epoch = map->epoch;
  std::vector<NameState> lost;
  for (std::size_t at = 0; at < states.size(); at += kAskedAtOnce) {
    const std::size_t end = std::min(at + kAskedAtOnce, states.size());
    std::vector<Task<Result<std::vector<NameState>>>> calls;
    for (std::size_t i = at; i < end; ++i) {
      calls.push_back(deps_.peers.name_states(context, owner, bucket.name, states[i].key));
    }
    const auto known = co_await gather(std::move(calls));
    for (std::size_t i = at; i < end; ++i) {
      if (known[i - at] && known[i - at]->empty()) lost.push_back(states[i]);
    }
  }
  if (lost.empty()) co_return;
  LOG_WARN("an owner has lost names", "target", owner, "names", lost.size());
  const auto taken =
      co_await deps_.peers.offer_names(context, owner, bucket.name, lost, Pace::kCourteous);
  if (!taken) LOG_INFO("he does not answer", "target", owner, "why", taken.error().what());
}

/// Whoever is ahead of the rate waits.
Task<Status> Scrubber::pace(std::uint64_t bytes) {
  if (is_stopped()) co_return Error(Errc::cancelled, "it was stopped");
  const TimePoint now = deps_.clock.now();
  const double seconds = static_cast<double>(bytes) / static_cast<double>(deps_.bytes_per_second);
  busy_until_ = std::max(busy_until_, now) +
                std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds));
  if (busy_until_ - now < kSleepMin) co_return Status{};
  while (deps_.clock.now() < busy_until_) {
    const TimePoint until = std::min(busy_until_, deps_.clock.now() + kLookEvery);
    if (!co_await deps_.clock.sleep_until(until)) co_return Error(Errc::cancelled);
    if (is_stopped()) co_return Error(Errc::cancelled, "it was stopped");
  }
  co_return Status{};
}

// --- state --------------------------------------------------------------------------------------

Task<void> Scrubber::save_if_due() {
  if (deps_.clock.now() - saved_at_ >= kSaveEvery) co_await save();
}

Task<void> Scrubber::save() {
  saved_at_ = deps_.clock.now();
  ScrubState state;
  note([&state](const ScrubState& now) { state = now; });
  state.progress.names = damages();
  if (state == saved_) co_return;
  auto write = [this, bytes = wire::encode(state)] {
    return disk::write_file_atomically(root_.get(), kStateFile, bytes);
  };
  const Status written = co_await deps_.io.run(std::move(write));
  if (!written) LOG_WARN("the state of the scrub is not saved", "why", written.error().what());
  if (written) saved_ = std::move(state);
}

}  // namespace aisfs::target
