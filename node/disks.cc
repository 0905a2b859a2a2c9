// SPDX-License-Identifier: MIT
#include "node/disks.h"

#include "common/async/scope.h"
#include "common/obs/log.h"
#include "common/wire/envelope.h"
#include "node/control/small_file.h"
#include "node/store/mountpath.h"

namespace aisfs::node {
namespace {

constexpr Duration kAskMax = std::chrono::seconds(10);
constexpr Duration kEpochLookEvery = std::chrono::milliseconds(200);

/// disks.state in the data folder: what the mountpaths must know as well, or they were set back.
struct DisksState {
  static constexpr std::uint16_t kVersion = 1, kCompat = 1;
  std::uint32_t stamped = 0;  // the incarnation that all of them were opened by

  template <class A>
  void fields(A& ar, std::uint16_t) {
    ar(stamped);
  }
};

std::string state_file(const NodeConfig& config) { return config.data_dir() + "/disks.state"; }

Result<DisksState> load_state(const NodeConfig& config) {
  auto bytes = control::read_private_file(state_file(config));
  if (!bytes && bytes.error() == Errc::not_found) return DisksState{};
  if (!bytes) return std::move(bytes).error();
  return wire::decode<DisksState>(*bytes);
}

std::string target_state(const NodeConfig& config) { return config.data_dir() + "/renames"; }

Result<store::StoreOptions> store_options(const NodeConfig& config,
                                          const NodeInfo& self,
                                          const ClusterMap& map) {
  store::StoreOptions options;
  options.cluster_uuid = map.uuid;
  options.node_id = self.id;
  options.incarnation = self.incarnation;
  options.epoch = map.epoch;
  options.mountpaths = config.mountpaths();
  options.threads = static_cast<std::size_t>(config.store.threads());
  options.open_files = static_cast<std::size_t>(config.store.open_files());
  options.reserve_bytes = config.store.reserve().count;
  options.high_watermark = static_cast<unsigned>(config.store.high_watermark());
  options.out_of_space = static_cast<unsigned>(config.store.out_of_space());
  if (options.mountpaths.empty()) {
    return Error(Errc::invalid_argument,
                 "a target stores objects in mountpaths, but none is set; give --mountpaths");
  }
  return options;
}

void log_recovery(const store::Store& store) {
  for (const auto& report : store.recovery()) {
    LOG_INFO("mountpath ready", "objects", report.objects, "rebuilt", report.rebuilt, "replayed",
             report.replayed, "rolled_forward", report.rolled_forward, "damaged", report.damaged,
             "ms",
             std::chrono::duration_cast<std::chrono::milliseconds>(report.took).count());
  }
}

Task<void> follow_epoch(store::Store& store, MapSource& maps, Clock& clock) {
  MapSnapshot kept_by;
  while (co_await clock.sleep(kEpochLookEvery)) {
    const MapSnapshot map = maps.current();
    store.set_epoch(map->epoch);
    if (map == kept_by) continue;
    std::map<BucketId, std::uint32_t> copies;
    for (const auto& [_, bucket] : map->buckets) {
      if (bucket.props.disk_copies > 1) copies.emplace(bucket.id, bucket.props.disk_copies);
    }
    const Status kept = co_await store.keep_copies(std::move(copies));
    if (kept) kept_by = map;
    if (!kept) LOG_WARN("copies on several disks are not kept yet", "why", kept.error().what());
  }
}

}  // namespace

Result<wire::DisksAge> age_of_disks(const NodeConfig& config) {
  std::optional<wire::DisksAge> age;
  store::MountpathTable table;  // what the disks know of each other
  for (const std::string& path : config.mountpaths()) {
    auto there = store::mountpath_table_at(path);
    if (there && there->version > table.version) table = *std::move(there);
  }
  for (const std::string& path : config.mountpaths()) {
    // One that had failed or was missing may be as old as that.
    const store::MountpathEntry* known = table.find(path);
    if (known != nullptr && !known->is_open()) continue;
    auto ceiling = store::ceiling_at(path);
    if (!ceiling) return std::move(ceiling).error().context("mountpath " + path);
    if (*ceiling && (!age || **ceiling < age->ceiling)) age = wire::DisksAge{**ceiling, path};
  }
  return age.value_or(wire::DisksAge{});
}

Disks::Disks(store::StoreOptions options,
             const NodeInfo& self,
             Transport& data,
             Transport& control,
             MapSource& maps,
             Clock& clock)
    : node_id_(self.id),
      maps_(maps),
      clock_(clock),
      store_(std::move(options), clock),
      peers_(data, control, maps, self.id) {}

Disks::~Disks() = default;

Result<std::unique_ptr<Disks>> Disks::open(const NodeConfig& config,
                                           const NodeInfo& self,
                                           Transport& data,
                                           Transport& control,
                                           MapSource& maps,
                                           Clock& clock,
                                           std::function<Status()> may_serve) {
  TRY(auto options, store_options(config, self, *maps.current()));
  TRY(const DisksState state, load_state(config));
  options.stamped = state.stamped;
  options.replicated = target::Replicator::noted_in(target_state(config));
  std::unique_ptr<Disks> disks(new Disks(std::move(options), self, data, control, maps, clock));
  CHECK_OK(disks->store_.open());
  const DisksState stamped{self.incarnation};
  CHECK_OK(control::write_private_file(state_file(config), wire::encode(stamped)));
  log_recovery(disks->store_);
  target::LocalTargetOptions target_options;
  target_options.node_id = self.id;
  target_options.state_dir = target_state(config);
  target_options.may_serve = std::move(may_serve);
  TRY(disks->target_, target::LocalTarget::open(std::move(target_options), disks->store_, maps,
                                                disks->peers_, clock));
  target::LocalTarget& target = *disks->target_;
  disks->rebalancer_ = std::make_unique<target::Rebalancer>(target::Rebalancer::Deps{
      .node_id = self.id,
      .store = disks->store_,
      .maps = maps,
      .peers = disks->peers_,
      .clock = clock,
      .is_busy =
          [&target, &maps] {
            const Epoch since = maps.current()->placement.since;
            return target.has_open_renames() || !target.slicer().is_settled(since);
          },
      .has_older_changes = [&target](Epoch epoch) { return target.has_older_changes(epoch); },
      .replicator = target.replicator()});
  disks->tombstones_ = std::make_unique<target::TombstoneCollector>(
      target::TombstoneCollector::Deps{.node_id = self.id,
                                       .store = disks->store_,
                                       .maps = maps,
                                       .peers = disks->peers_,
                                       .clock = clock,
                                       .is_busy = [&target] { return target.has_open_renames(); },
                                       .replicator = target.replicator(),
                                       .life = config.store.tombstone_life()});
  target::Scrubber::Deps scrub{.node_id = self.id,
                               .state_dir = target_state(config),
                               .store = disks->store_,
                               .maps = maps,
                               .peers = disks->peers_,
                               .clock = clock,
                               .io = disks->io_,
                               .healer = target.healer(),
                               .replicator = target.replicator(),
                               .slicer = target.slicer(),
                               .bytes_per_second = config.store.scrub_rate().count,
                               .interval = config.store.scrub_interval()};
  TRY(disks->scrubber_, target::Scrubber::open(std::move(scrub)));
  return disks;
}

/// Of buckets with copies others have what was lost here, and nobody may hear that it is gone:
/// first all of it has to be here again.
Task<Status> Disks::check_give_up(const std::string& mountpath) {
  const MapSnapshot map = maps_.current();
  const bool mirrored = std::any_of(map->buckets.begin(), map->buckets.end(), [&](const auto& one) {
    return map->most_copies(one.second) > 1;
  });
  if (!mirrored) co_return Status{};
  const std::string again =
      "; try again, or take this target out with ais cluster "
      "add-remove-nodes decommission --data-lost and join it anew";
  if (!target::all_know_all(*map)) {
    co_return Error(Errc::busy, "a target is away, or names are on their way" + again);
  }
  if (!target_->slicer().has_told_of(mountpath)) {
    co_return Error(Errc::busy, "not all targets know yet that " + mountpath + " has gone" + again);
  }
  CO_CHECK_OK(co_await ask_for_copies(map, mountpath));
  for (const NodeInfo* other : map->active_targets()) {
    if (other->id == node_id_) continue;
    Context context{.who = auth::node_identity(node_id_),
                    .deadline = Deadline::after(kAskMax),
                    .trace = "give-up"};
    context.epoch = map->epoch;
    CO_TRY(const bool has, co_await peers_.has_copies_for_me(std::move(context), other->id));
    if (!has) continue;
    co_return Error(Errc::busy,
                    "target " + other->id + " still makes copies of what was on the disk" + again);
  }
  co_return Status{};
}

/// What a target was told before it was started anew it knows no more.
Task<Status> Disks::ask_for_copies(const MapSnapshot& map, const std::string& mountpath) {
  std::map<std::string, std::uint32_t> now;
  for (const NodeInfo* other : map->active_targets()) {
    if (other->id != node_id_) now[other->id] = other->incarnation;
  }
  {
    const std::lock_guard lock(mutex_);
    if (const auto it = asked_.find(mountpath); it != asked_.end() && it->second == now) {
      co_return Status{};
    }
  }
  for (const auto& [id, _] : now) {
    Context context{.who = auth::node_identity(node_id_),
                    .deadline = Deadline::after(kAskMax),
                    .trace = "give-up"};
    std::vector<std::string> everything;
    const BucketName none;
    CO_CHECK_OK(
        co_await peers_.slices().miss_slices(std::move(context), id, none, std::move(everything)));
  }
  const std::lock_guard lock(mutex_);
  asked_[mountpath] = std::move(now);
  co_return Status{};
}

Task<Status> Disks::change_mountpath(MountpathChange change) {
  using Emptying = store::Store::Emptying;
  const Emptying emptying = change.skip_resilver ? Emptying::kSkip : Emptying::kFirst;
  switch (change.action) {
    case MountpathAction::kAttach:
      co_return co_await store_.attach(std::move(change.path));
    case MountpathAction::kDetach:
      co_return co_await store_.detach(std::move(change.path), emptying);
    case MountpathAction::kEnable:
      co_return co_await store_.enable(std::move(change.path));
    case MountpathAction::kDisable:
      co_return co_await store_.disable(std::move(change.path), emptying);
    case MountpathAction::kGiveUp:
      CO_CHECK_OK(co_await check_give_up(change.path));
      co_return co_await store_.give_up_mountpath(std::move(change.path));
  }
  co_return Error(Errc::unsupported, "no such change of a mountpath");
}

jobs::JobDeps Disks::for_jobs(ObjectApi& cluster) {
  return {.node_id = node_id_,
          .maps = maps_,
          .clock = clock_,
          .cluster = cluster,
          .here = *target_,
          .store = &store_,
          .target = target_.get(),
          .rebalancer = rebalancer_.get(),
          .scrubber = scrubber_.get()};
}

ScrubProgress Disks::scrub(ScrubAction action) {
  if (action == ScrubAction::kStart) scrubber_->start();
  if (action == ScrubAction::kStop) scrubber_->stop();
  return scrubber_->progress();
}

Task<void> Disks::run() {
  TaskScope scope(co_await asio::this_coro::executor);
  scope.spawn(follow_epoch(store_, maps_, clock_));
  scope.spawn(target_->run());
  scope.spawn(target_->replicator().run());
  scope.spawn(store_.run());
  co_await scope.join();
}

Task<void> Disks::run_background() {
  TaskScope scope(co_await asio::this_coro::executor);
  scope.spawn(rebalancer_->run());
  scope.spawn(target_->healer().run());
  scope.spawn(target_->restorer().run());
  scope.spawn(target_->slicer().run());
  scope.spawn(scrubber_->run());
  scope.spawn(tombstones_->run());
  co_await scope.join();
}

}  // namespace aisfs::node
