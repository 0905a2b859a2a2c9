// SPDX-License-Identifier: MIT
#include "aisfs/ops/delegations.h"

#include "aisfs/fs/names.h"
#include "aisfs/ops/mount_state.h"
#include "aisfs/ops/open_file.h"
#include "aisfs/ops/promises.h"
#include "common/async/gather.h"
#include "common/base/defer.h"
#include "common/base/hash.h"
#include "common/obs/log.h"

namespace aisfs::ops {
namespace {

constexpr std::uint32_t kListedMax = 1000;    // a directory with more is not asked for
constexpr std::size_t kNamesMax = 1'000'000;  // some 40 bytes each; then it is given back
constexpr std::uint32_t kBusyFrom = 3;        // names made in a directory
constexpr auto kAskMax = std::chrono::seconds(2);
constexpr auto kSendAfter = std::chrono::milliseconds(500);
constexpr std::size_t kSentAtOnce = 32;
constexpr std::uint8_t kRefusalsMax = 8;  // the wait after the last: four minutes

std::uint64_t hash_of(const fs::Inode& directory, std::string_view name) {
  return xxh64(as_bytes(name), directory.nodeid);
}

}  // namespace

// --- what is known -----------------------------------------------------------------------------

bool Delegations::has_grants(const Delegation& delegation) const {
  for (const fs::Lease& grant : delegation.grants) {
    if (!mount_.leases.holds(grant)) return false;
  }
  return !delegation.grants.empty();
}

bool Delegations::is_held(std::uint64_t id) const {
  const auto it = all_.find(id);
  return it != all_.end() && it->second->state == Delegation::State::kHeld &&
         has_grants(*it->second);
}

fs::Lease Delegations::lease_in(const fs::Inode& directory) const {
  if (directory.whole == 0 || !directory.has_name() || !is_held(directory.whole)) return {};
  return {.session = fs::Lease::kDelegation, .term = directory.whole};
}

bool Delegations::is_free(const fs::Inode& directory, std::string_view name) const {
  if (lease_in(directory).term == 0 || !fs::validate_component(name).ok()) return false;
  const auto place = mount_.inodes.place(directory);
  if (!place || fs::join(place->path, name).size() > kKeyBytesMax) return false;
  return !all_.at(directory.whole)->names.contains(hash_of(directory, name));
}

void Delegations::will_make(const fs::Inode& directory, std::string_view name) {
  const auto it = all_.find(directory.whole);
  if (it == all_.end()) return;
  const DelegationPtr delegation = it->second;
  delegation->names.insert(hash_of(directory, name));
  if (delegation->names.size() > kNamesMax) give_up(delegation);
}

void Delegations::made(fs::Inode& directory, const fs::Lease& by) const {
  if (by.session == fs::Lease::kDelegation && is_held(by.term)) directory.whole = by.term;
}

Duration Delegations::left(const fs::Lease& lease) const {
  if (!is_held(lease.term)) return {};
  Duration left = Duration::max();
  for (const fs::Lease& grant : all_.at(lease.term)->grants) {
    left = std::min(left, mount_.leases.left(grant));
  }
  return left;
}

// --- asking ------------------------------------------------------------------------------------

Task<void> Delegations::ask_if_busy(const Call& call, fs::InodePtr directory) {
  if (all_.contains(directory->whole) || ++directory->names_made < kBusyFrom) co_return;
  directory->names_made = 0;
  co_await ask(call, std::move(directory));
}

Task<void> Delegations::ask(const Call& call, fs::InodePtr directory) {
  if (!mount_.options.delegations || closed_ || !directory->has_name() ||
      all_.contains(directory->whole))
    co_return;
  const TimePoint now = RealClock().now();
  for (const fs::Inode* at = directory.get(); at != nullptr; at = at->parent.get()) {
    if (now < at->refused_until) co_return;
  }
  auto delegation = std::make_shared<Delegation>();
  delegation->id = ++last_;
  delegation->directory = directory;
  delegation->grants = mount_.leases.of_all_targets(*directory);
  auto place = mount_.inodes.place(*directory);
  if (delegation->grants.empty() || !place) co_return;
  delegation->place = *std::move(place);
  all_[delegation->id] = delegation;
  directory->whole = delegation->id;
  const Defer unless_held([&] {  // refused, or the caller has been interrupted
    if (delegation->state == Delegation::State::kAsked) give_up(delegation);
  });
  const Status got = co_await obtain(call, delegation);
  if (!got) {
    LOG_DEBUG("no delegation", "of", delegation->place.path, "why", got.error().what());
  } else if (delegation->state == Delegation::State::kAsked) {
    delegation->state = Delegation::State::kHeld;
  }
}

/// The names are asked for last: whatever is made after the grants is made here.
Task<Status> Delegations::obtain(Call call, DelegationPtr delegation) {
  wire::DelegateRequest request{
      .id = delegation->id, .bucket = delegation->place.bucket, .path = delegation->place.path};
  CO_CHECK_OK(co_await tell_targets(std::move(request)));
  const std::string& path = delegation->place.path;
  ListOptions options{
      .prefix = path.empty() ? "" : path + "/", .delimiter = "/", .limit = kListedMax};
  const std::size_t skip = options.prefix.size();
  CO_TRY(const ListPage page, co_await mount_.cluster.objects.list(
                                  call.context(), delegation->place.bucket, std::move(options)));
  if (page.more) co_return Error(Errc::too_large, "too many names");
  bool there = path.empty();
  for (const ListEntry& entry : page.entries) {
    there = there || entry.key.size() == skip;  // its marker
    std::string_view name = std::string_view(entry.key).substr(skip);
    if (entry.is_prefix) name.remove_suffix(1);
    delegation->names.insert(hash_of(*delegation->directory, name));
  }
  if (!there) co_return Error(Errc::not_found, "the directory was removed");
  if (!has_grants(*delegation)) co_return Error(Errc::not_ready, "a session has changed");
  co_return Status{};
}

Task<Status> Delegations::tell_targets(wire::DelegateRequest request) {
  std::vector<Task<Status>> calls;
  const MapSnapshot map = mount_.cluster.map.current();
  for (const NodeInfo* target : map->active_targets()) {
    calls.push_back(mount_.leases.api().delegate(*target, request, Deadline::after(kAskMax)));
  }
  std::vector<Status> answers = co_await gather(std::move(calls));
  for (Status& answer : answers) CO_CHECK_OK(std::move(answer));
  co_return Status{};
}

// --- giving back -------------------------------------------------------------------------------

void Delegations::recall(const wire::RecalledDirectory& directory) {
  if (closed_) return;
  const auto it = all_.find(directory.id);
  if (it != all_.end()) return give_up(DelegationPtr(it->second));
  const MapSnapshot map = mount_.cluster.map.current();
  const Bucket* bucket = map->find_bucket(directory.bucket);  // of one that was given up already
  if (bucket != nullptr) mount_.background.spawn(give_back(bucket->name, directory.id));
}

void Delegations::give_up_lost() {
  const auto all = all_;
  for (const auto& [id, delegation] : all) {
    if (!has_grants(*delegation)) give_up(delegation);
  }
}

void Delegations::give_up_all() {
  const auto all = all_;
  for (const auto& [id, delegation] : all) give_up(delegation);
}

/// From here on nothing is believed by it.
void Delegations::give_up(const DelegationPtr& delegation) {
  if (delegation->state == Delegation::State::kGivenUp) return;
  delegation->state = Delegation::State::kGivenUp;
  fs::Inode& directory = *delegation->directory;
  directory.refused_until =
      RealClock().now() + mount_.options.delegate_again * (1 << directory.refusals);
  directory.refusals = std::min<std::uint8_t>(directory.refusals + 1, kRefusalsMax);
  mount_.leases.forget_all_of({.session = fs::Lease::kDelegation, .term = delegation->id});
  ++ending_;
  mount_.background.spawn(finish(delegation));
}

Task<void> Delegations::finish(DelegationPtr delegation) {
  co_await asio::this_coro::throw_if_cancelled(false);
  std::vector<Task<Status>> sends;
  const auto send = [&](fs::InodePtr inode) -> Task<Status> {
    Call call;
    *call.deadline = Deadline::after(mount_.options.op_timeout);
    CO_CHECK_OK(co_await settle(mount_, call, inode));
    const auto file = inode->open;
    if (!file || file->is_dirty() || file->size > mount_.options.small_file) co_return Status{};
    const auto permit = co_await file->turn.acquire();
    co_return co_await bring_all(mount_, call, inode);  // may be replaced from now on
  };
  mount_.inodes.for_each([&](const fs::InodePtr& inode) {
    const bool of_it =
        inode->lease.session == fs::Lease::kDelegation && inode->lease.term == delegation->id;
    const bool waits = inode->attrs_unsent || inode->sending || inode->open;
    if (of_it && waits) sends.push_back(send(inode));
  });
  while (!sends.empty()) {
    std::vector<Task<Status>> some;
    for (; !sends.empty() && some.size() < kSentAtOnce; sends.pop_back()) {
      some.push_back(std::move(sends.back()));
    }
    for (const Status& sent : co_await gather(std::move(some))) {
      if (!sent.ok())
        LOG_WARN("not sent before a directory was given back", "why", sent.error().what());
    }
  }
  co_await give_back(delegation->place.bucket, delegation->id);
  all_.erase(delegation->id);
  --ending_;
  ended_.notify();
}

Task<void> Delegations::give_back(BucketName bucket, std::uint64_t id) {
  co_await asio::this_coro::throw_if_cancelled(false);
  wire::DelegateRequest request{.id = id, .bucket = std::move(bucket), .ends = true};
  // Where it does not arrive, the target goes on a lease later.
  (void)co_await tell_targets(std::move(request));
}

Task<Status> Delegations::close(Deadline deadline) {
  closed_ = true;
  deferred_.clear();
  mount_.inodes.for_each([&](const fs::InodePtr& inode) {  // also what is on its way already
    if (inode->attrs_unsent || inode->sending) deferred_.push_back(inode);
  });
  Status sent = co_await send_deferred();
  give_up_all();
  co_await settled(deadline);
  co_return sent;
}

Task<void> Delegations::settled(Deadline deadline) {
  while (ending_ > 0 && !deadline.expired()) {
    const auto seen = ended_.count();
    if (ending_ > 0) co_await ended_.wait(seen, deadline);
  }
}

// --- what is sent later ------------------------------------------------------------------------

void Delegations::defer(const fs::InodePtr& inode) {
  if (inode->attrs_unsent) return;
  inode->attrs_unsent = true;
  deferred_.push_back(inode);
  if (!std::exchange(sends_soon_, true)) mount_.background.spawn(send_soon());
}

Task<void> Delegations::send_soon() {
  co_await asio::this_coro::throw_if_cancelled(false);
  asio::steady_timer timer(mount_.shard);
  while (!deferred_.empty()) {
    timer.expires_after(kSendAfter);
    const auto [ec] = co_await timer.async_wait(use_ec);
    if (ec) co_return;
    const Status sent = co_await send_deferred();
    if (!sent) LOG_WARN("attributes are not sent yet", "why", sent.error().what());
  }
  sends_soon_ = false;
}

Task<Status> Delegations::send_deferred() {
  Status first;
  auto all = std::exchange(deferred_, {});
  while (!all.empty()) {
    std::vector<Task<Status>> some;
    std::vector<fs::InodePtr> sent;
    for (; !all.empty() && some.size() < kSentAtOnce; all.pop_front()) {
      Call call;
      *call.deadline = Deadline::after(mount_.options.op_timeout);
      sent.push_back(all.front());
      some.push_back(settle(mount_, call, all.front()));
    }
    std::vector<Status> answers = co_await gather(std::move(some));
    for (std::size_t i = 0; i < answers.size(); ++i) {
      if (sent[i]->attrs_unsent) deferred_.push_back(sent[i]);
      if (!answers[i].ok() && first.ok()) first = std::move(answers[i]);
    }
  }
  co_return first;
}

namespace {

/// A name that was created here alone, now in the cluster too. One that is there already is of
/// another host, which had no way to know; or ours, from an attempt whose answer was lost.
Task<Status> reserve(Mount& mount, Call call, fs::InodePtr inode) {
  const auto file = inode->open;
  if (!file) co_return Status{};  // released meanwhile
  const auto permit = co_await file->turn.acquire();
  if (!file->unsent || file->unlinked) co_return Status{};
  if (const fs::InodePtr directory = inode->parent) {
    CO_CHECK_OK(co_await arrive(mount, call, directory));
  }
  CO_TRY(const fs::Place place, mount.inodes.place(*inode));
  PutOptions options{.conditions = {.must_not_exist = true},
                     .size = 0,
                     .ino = file->base.ino,
                     .reservation = true,
                     .has_parent = true};
  options.posix = fs::posix_of(inode->attr);
  StringSource nothing("");
  ExpectedChecksums unknown;
  auto made = co_await mount.cluster.objects.put(call.context(), place.file(), std::move(options),
                                                 std::move(unknown), nothing);
  if (!made && made.error() == Errc::already_exists) {
    Conditions same{.if_ino = file->base.ino};
    made = co_await mount.cluster.objects.head(call.context(), place.file(), std::move(same));
  }
  if (!made) co_return std::move(made).error();
  file->base = *std::move(made);
  file->unsent = false;
  mount.changed(*inode);
  co_return Status{};
}

Task<Status> send_attrs(Mount& mount, Call call, fs::InodePtr inode) {
  CO_TRY(const fs::Place place, mount.inodes.place(*inode));
  const bool directory = inode->is_directory();
  AttrChange change{.posix = fs::posix_of(inode->attr, inode->symlink ? *inode->symlink : "")};
  Conditions same{.if_ino = inode->attr.ino};
  ObjectName name = directory ? place.marker() : place.file();
  CO_TRY(ObjectInfo info, co_await mount.cluster.objects.set_attrs(
                              call.context(), std::move(name), std::move(change), std::move(same)));
  if (inode->open) inode->open->base.meta_version = info.meta_version;
  if (inode->info) inode->info = std::make_shared<const ObjectInfo>(std::move(info));
  mount.changed(*inode);
  co_return Status{};
}

}  // namespace

Task<Status> settle_content(Mount& mount, Call call, fs::InodePtr inode) {
  const auto file = inode->open;
  if (file && file->promised) {
    co_await end_wait_for_name(file);
    const auto permit = co_await file->turn.acquire();
    if (file->promised) CO_CHECK_OK(co_await publish(mount, call, inode, Durability::kNone));
  }
  if (file && file->unsent) CO_CHECK_OK(co_await reserve(mount, call, inode));
  co_return Status{};
}

Task<Status> settle(Mount& mount, Call call, fs::InodePtr inode) {
  CO_CHECK_OK(co_await settle_content(mount, call, inode));
  co_return co_await settle_attrs(mount, std::move(call), std::move(inode));
}

Task<Status> settle_attrs(Mount& mount, Call call, fs::InodePtr inode) {
  CO_CHECK_OK(co_await arrive(mount, call, inode));
  if (!std::exchange(inode->attrs_unsent, false)) co_return Status{};
  Status sent;
  if (inode->has_name()) {
    const Sending sending(mount, inode);
    sent = co_await send_attrs(mount, call, inode);
  }
  const bool gone =
      !sent && (sent.error() == Errc::not_found || sent.error() == Errc::precondition_failed);
  if (!sent && !gone) inode->attrs_unsent = true;
  mount.inodes.forget(inode->nodeid, 0);  // it may have been kept for this alone
  co_return sent;
}

Task<Status> settle_names(Mount& mount, Call call, fs::InodePtr directory) {
  std::vector<fs::InodePtr> unsent;
  for (const auto& [id, handle] : mount.files) {
    const bool waits = handle.file->unsent || handle.file->promised;
    if (waits && handle.inode->parent == directory) unsent.push_back(handle.inode);
  }
  for (const auto& [name, inode] : mount.leaving) {
    if (name.directory == directory->nodeid) unsent.push_back(inode);
  }
  for (const fs::InodePtr& inode : mount.sending) {
    if (inode->parent == directory) unsent.push_back(inode);
  }
  for (const fs::InodePtr& inode : unsent) CO_CHECK_OK(co_await settle(mount, call, inode));
  co_return Status{};
}

}  // namespace aisfs::ops
