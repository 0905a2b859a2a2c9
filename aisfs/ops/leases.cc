// SPDX-License-Identifier: MIT
#include "aisfs/ops/leases.h"

#include "aisfs/ops/mount_state.h"
#include "common/base/text.h"
#include "common/obs/log.h"
#include "common/placement/hrw.h"
#include "common/placement/prefix_map.h"

namespace aisfs::ops {
namespace {

constexpr auto kLookEvery = std::chrono::milliseconds(200);  // for new targets, and after a failure
constexpr auto kGoodbye = std::chrono::seconds(1);

Task<void> pause(Duration time) {
  asio::steady_timer timer(co_await asio::this_coro::executor, time);
  (void)co_await timer.async_wait(use_ec);
}

}  // namespace

// --- what is believed --------------------------------------------------------------------------

bool Leases::is_current() const {
  const MapSnapshot map = mount_.cluster.map.current();
  return epoch_ != 0 && map != nullptr && map->epoch == epoch_;
}

fs::Lease Leases::begin(const fs::Place& place) const {
  if (!is_current()) return {};
  const MapSnapshot map = mount_.cluster.map.current();
  const BucketId id{place.bucket_id};
  const Bucket* bucket = map->find_bucket(id);
  if (bucket == nullptr || bucket->implied_dirs || placement::has_mappings(*map, id)) return {};
  const NodeInfo* owner = placement::owner_of(*map, place.file());
  if (owner == nullptr) return {};
  const auto it = at_.find(owner->id);
  if (it == at_.end() || sessions_[it->second].until <= clock_.now()) return {};
  return {.session = it->second, .term = sessions_[it->second].term, .epoch = epoch_};
}

std::vector<fs::Lease> Leases::of_all_targets(const fs::Inode& directory) const {
  std::vector<fs::Lease> all;
  const auto place = mount_.inodes.place(directory);
  if (!place || !is_current()) return all;
  const MapSnapshot map = mount_.cluster.map.current();
  const BucketId id{place->bucket_id};
  const Bucket* bucket = map->find_bucket(id);
  if (bucket == nullptr || bucket->implied_dirs || placement::has_mappings(*map, id)) return all;
  for (const NodeInfo* target : map->active_targets()) {
    const auto it = at_.find(target->id);
    if (it == at_.end() || sessions_[it->second].until <= clock_.now()) return {};
    all.push_back({.session = it->second, .term = sessions_[it->second].term, .epoch = epoch_});
  }
  return all;
}

bool Leases::governs(std::uint64_t bucket_id) const {
  if (epoch_ == 0) return false;
  const MapSnapshot map = mount_.cluster.map.current();
  const Bucket* bucket = map->find_bucket(BucketId{bucket_id});
  return bucket != nullptr && !bucket->implied_dirs;
}

bool Leases::holds(const fs::Lease& lease) const {
  if (lease.session == fs::Lease::kDelegation) return mount_.delegations.holds(lease);
  if (lease.term == 0 || lease.epoch != epoch_ || !is_current()) return false;
  const Session& session = sessions_[lease.session];
  return session.term == lease.term && session.until > clock_.now();
}

Duration Leases::left(const fs::Lease& lease) const {
  if (kernel_ == nullptr || !holds(lease)) return {};
  if (lease.session == fs::Lease::kDelegation) return mount_.delegations.left(lease);
  return sessions_[lease.session].until - clock_.now();
}

Duration Leases::left_of_map() const {
  if (kernel_ == nullptr || sessions_.empty() || !is_current()) return {};
  TimePoint until = TimePoint::max();
  for (const Session& session : sessions_) until = std::min(until, session.until);
  return std::max(until - clock_.now(), Duration::zero());
}

// --- what is heard -----------------------------------------------------------------------------

Task<void> Leases::run(LeaseApi& api, std::uint64_t session, KernelCache* kernel) {
  co_await asio::this_coro::throw_if_cancelled(false);
  api_ = &api;
  id_ = session;
  kernel_ = kernel;
  TaskScope polls(co_await asio::this_coro::executor);
  while (!stops_) {
    const MapSnapshot map = mount_.cluster.map.current();
    go_by(map->epoch);
    for (const NodeInfo* target : map->active_targets()) {
      if (at_.contains(target->id)) continue;
      at_[target->id] = sessions_.size();
      sessions_.push_back({.node = target->id});
      polls.spawn(keep(sessions_.size() - 1));
    }
    co_await pause(kLookEvery);
  }
  polls.cancel();
  co_await polls.join();
}

Task<void> Leases::keep(std::size_t at) {
  co_await asio::this_coro::throw_if_cancelled(false);
  while (!stops_) {
    const MapSnapshot map = mount_.cluster.map.current();
    const NodeInfo* node = map->find_node(sessions_[at].node);
    if (node == nullptr) {
      co_await pause(kLookEvery);
      continue;
    }
    wire::LeasePollRequest request{.session = id_,
                                   .instance = sessions_[at].instance,
                                   .epoch = epoch_,
                                   .heard = sessions_[at].heard};
    // What is believed by an older map, or of another instance, has been given up.
    if (std::exchange(sessions_[at].told, epoch_) != request.epoch) co_await settle();
    // One that begins is confirmed at once.
    if (sessions_[at].until > clock_.now()) request.wait_ms = wire::kLeasePollMsMax;
    const TimePoint sent = clock_.now();
    const Deadline deadline = Deadline::after(wire::kLeaseLength);
    const auto reply = co_await api_->poll_leases(*node, std::move(request), deadline);
    if (stops_) co_return;
    if (!reply) {
      LOG_DEBUG("no lease", "node", sessions_[at].node, "why", reply.error().what());
      co_await pause(kLookEvery);
      continue;
    }
    take(at, sent, *reply);
    if (reply->epoch <= epoch_) continue;
    const auto newer = co_await mount_.cluster.map.at_least(reply->epoch, deadline);
    if (newer) go_by((*newer)->epoch);
  }
}

/// What the next poll confirms has been forgotten before it is sent.
void Leases::take(std::size_t at, TimePoint sent, const wire::LeasePollReply& reply) {
  Session& session = sessions_[at];
  session.heard = reply.last;
  for (const wire::RecalledDirectory& directory : reply.recalls) {
    mount_.delegations.recall(directory);
  }
  if (reply.instance != session.instance) {  // it counts from the next poll on
    session.instance = reply.instance;
    session.until = {};
    session.told = 0;
    drop(at);
    return;
  }
  const bool ran_out = session.until <= clock_.now();
  if (reply.all || ran_out) drop(at);
  for (const wire::ChangedName& name : reply.changes) changed(name);
  if (!reply.changes.empty() && kernel_ != nullptr) kernel_->forget_names();
  session.until = sent + wire::kLeaseLength;
}

/// Answers about it that are on their way are older than the change: see_child asks again.
void Leases::changed(const wire::ChangedName& name) {
  const MapSnapshot map = mount_.cluster.map.current();
  const Bucket* bucket = map->find_bucket(name.bucket);
  fs::InodePtr parent = mount_.inodes.find(fs::InodeTable::kRootId);
  fs::InodePtr inode =
      bucket == nullptr ? nullptr : mount_.inodes.child(*parent, bucket->name.name);
  for (const std::string_view part : split(name.path, '/')) {
    if (!inode) return;
    parent = std::exchange(inode, mount_.inodes.child(*inode, std::string(part)));
  }
  parent->revoked_at = ++mount_.sequence;
  mount_.missed = {};
  const auto slash = name.path.rfind('/');
  mount_.inodes.unmiss(*parent, name.path.substr(slash == std::string::npos ? 0 : slash + 1));
  if (!inode) return;
  inode->lease = {};
  mount_.sights.forget(inode->nodeid);
  if (kernel_ != nullptr && inode->kernel_until > clock_.now())
    kernel_->forget_attrs(inode->nodeid);
}

void Leases::drop(std::size_t at) {
  ++sessions_[at].term;
  ++drops_;
  mount_.delegations.give_up_lost();
  forget_in_kernel([at](const fs::Lease& lease) { return lease.session == at || lease.term == 0; });
}

void Leases::forget_all_of(const fs::Lease& lease) {
  forget_in_kernel(
      [&](const fs::Lease& of) { return of.session == lease.session && of.term == lease.term; });
}

void Leases::forget_in_kernel(const std::function<bool(const fs::Lease&)>& believed_by) {
  if (kernel_ == nullptr) return;
  kernel_->forget_names();
  const TimePoint now = clock_.now();
  mount_.inodes.for_each([&](const fs::InodePtr& inode) {
    const bool forgets = inode->kernel_until > now && believed_by(inode->lease);
    if (forgets) kernel_->forget_attrs(inode->nodeid);
  });
}

/// For as long as the sessions do not run out by it.
Task<void> Leases::settle() {
  co_await mount_.delegations.settled(Deadline::after(wire::kLeaseLength / 2));
}

void Leases::go_by(Epoch epoch) {
  if (epoch <= epoch_) return;
  epoch_ = epoch;
  for (std::size_t at = 0; at < sessions_.size(); ++at) drop(at);
}

Task<void> Leases::stop() {
  stops_ = true;
  if (api_ == nullptr) co_return;
  for (std::size_t at = 0; at < sessions_.size(); ++at) {
    drop(at);
    const MapSnapshot map = mount_.cluster.map.current();
    const NodeInfo* node = map->find_node(sessions_[at].node);
    if (node == nullptr || sessions_[at].instance.empty()) continue;
    wire::LeasePollRequest request{
        .session = id_, .instance = sessions_[at].instance, .ends = true};
    // If it does not arrive, the session runs out.
    (void)co_await api_->poll_leases(*node, std::move(request), Deadline::after(kGoodbye));
  }
}

}  // namespace aisfs::ops
