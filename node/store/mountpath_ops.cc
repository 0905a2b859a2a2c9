// SPDX-License-Identifier: MIT
// Store: mountpaths that come and go.
#include "common/base/defer.h"
#include "common/disk/posix.h"
#include "common/obs/log.h"
#include "node/store/engine.h"
#include "node/store/recovery.h"
#include "node/store/rename.h"
#include "node/store/resilver.h"

namespace aisfs::store {
namespace {

using State = MountpathEntry::State;

// Longer than a change of a name takes on a healthy disk; all others wait meanwhile.
constexpr Duration kChangesMax = std::chrono::seconds(10);
// Those who have an old mountpath's files open are given the time of a slow answer.
constexpr Duration kClosingMax = std::chrono::seconds(30);
constexpr Duration kLookEvery = std::chrono::milliseconds(50);

Error not_known(const std::string& path) {
  return Error(Errc::not_found, "the target has no mountpath " + path);
}

/// "/mnt/a/" is "/mnt/a".
Result<std::string> clean(std::string path) {
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  if (path.starts_with('/') && path.size() > 1) return path;
  return Error(Errc::invalid_argument, "a mountpath is an absolute folder, not \"" + path + "\"");
}

/// Names are as they are until the set of mountpaths has changed, durably.
Task<Status> change_apart(Engine& engine, std::shared_ptr<Mountpath> added, Mountpaths::Edit edit) {
  const Status closed = co_await engine.gate.close(engine.clock, Deadline::after(kChangesMax));
  if (!closed) co_return Error(Errc::busy, "changes of names take too long; try again");
  const Defer open([&engine] { engine.gate.open(); });
  auto change = [&] { return engine.mounts.add(added, edit); };
  co_return co_await engine.chores.run(std::move(change));
}

Task<Status> wait_until_closed(Engine& engine, const std::string& path) {
  const Deadline deadline = Deadline::after(kClosingMax);
  while (engine.mounts.is_closing(path)) {
    if (deadline.expired()) {
      co_return Error(Errc::busy, "the last operations on " + path + " have not ended: try again");
    }
    CO_CHECK_OK(co_await engine.clock.sleep(kLookEvery));
  }
  co_return Status{};
}

/// `renames`: those of which the recovery does not know how they ended.
Result<std::shared_ptr<Mountpath>> open_and_recover(Engine& engine,
                                                    const std::string& path,
                                                    const MountpathTable& table,
                                                    std::vector<RenameIntentRecord>& renames) {
  const MountpathEntry* known = table.find(path);
  MountpathOptions options = engine.mountpath_options(path);
  if (known != nullptr && known->is_known()) options.uuid = known->uuid;
  options.stamped = known != nullptr ? known->stamped : 0;
  options.doubted = known != nullptr && known->state == State::kFailed;
  TRY(std::shared_ptr<Mountpath> mountpath, Mountpath::open(std::move(options)));
  const MountpathEntry* same = table.find_uuid(mountpath->uuid());
  if (same != nullptr && same->state == State::kGivenUp) {
    return Error(Errc::invalid_argument,
                 "the disk at " + path + " was given up with what it held: empty it first");
  }
  if (same != nullptr && same->path != path && same->is_known()) {
    return Error(Errc::invalid_argument,
                 "the disk at " + path + " is mountpath " + same->path + ": mount it there");
  }
  TRY(Recovered recovered, recover(*mountpath));
  renames = std::move(recovered.renames);
  TRY(const std::uint64_t ceiling, mountpath->load_ceiling());
  engine.versions.see(ceiling);
  // As those that were there all the time.
  CHECK_OK(mountpath->stamp(engine.options.incarnation));
  CHECK_OK(mountpath->save_ceiling(std::max(ceiling, engine.versions.ceiling())));
  engine.take_in(*mountpath);
  LOG_INFO("mountpath attached", "path", path, "objects", recovered.report.objects);
  return mountpath;
}

Status take_entry(MountpathTable& table,
                  const std::string& path,
                  const std::string& uuid,
                  std::uint32_t stamped) {
  MountpathEntry* known = table.find(path);
  if (known != nullptr && known->is_open()) return Error(Errc::already_exists);
  if (known == nullptr) {
    table.entries.push_back({.path = path, .uuid = uuid, .state = State::kDetached});
    known = &table.entries.back();
  }
  if (known->uuid != uuid) *known = {.path = path, .uuid = uuid, .state = State::kDetached};
  known->stamped = stamped;
  table.bring_back(*known);
  return {};
}

Task<Status> take(Engine& engine, std::string path) {
  const MountpathTable table = engine.mounts.table();
  if (const auto* known = table.find(path); known != nullptr && known->is_open()) {
    co_return Error(Errc::already_exists,
                    "mountpath " + path + " is " + std::string(text_of(known->state)));
  }
  CO_CHECK_OK(co_await wait_until_closed(engine, path));
  std::vector<RenameIntentRecord> renames;
  auto open = [&] { return open_and_recover(engine, path, table, renames); };
  CO_TRY(const auto mountpath, co_await engine.chores.run(std::move(open)));
  const std::string uuid = mountpath->uuid();
  Mountpaths::Edit edit = [&engine, path, uuid](MountpathTable& t) {
    return take_entry(t, path, uuid, engine.options.incarnation);
  };
  CO_CHECK_OK(co_await change_apart(engine, mountpath, std::move(edit)));
  for (RenameIntentRecord& intent : renames) engine.doubt_rename(std::move(intent));
  co_await settle_renames(engine);
  co_return Status{};
}

/// It is emptied for `begun`, and is `ended` when it goes with what it holds.
Status let_go(MountpathTable& table,
              const std::string& path,
              State begun,
              State ended,
              Store::Emptying emptying,
              const std::set<std::uint64_t>& buckets,
              Leaving now) {
  MountpathEntry* entry = table.find(path);
  if (entry == nullptr || !entry->is_known()) return not_known(path);
  if (!entry->is_open()) {
    if (entry->is_lacking() && ended == State::kDetached) {
      return Error(Errc::busy, "mountpath " + path + " is " + std::string(text_of(entry->state)) +
                                   ": enable it to have it emptied, or give it up");
    }
    entry->state = ended;
    return {};
  }
  if (table.active() == PlacedOn{path}) {
    return Error(Errc::precondition_failed, path + " is the last mountpath that is active");
  }
  if (emptying == Store::Emptying::kSkip) {
    table.lose(*entry, ended, "taken out by an administrator", now);
    entry->buckets = buckets;
    return {};
  }
  entry->state = begun;
  table.settled = false;
  table.place_anew();
  return {};
}

Task<Status> take_out(
    Engine& engine, std::string path, State begun, State ended, Store::Emptying emptying) {
  std::set<std::uint64_t> buckets;
  for (const auto& mountpath : engine.mounts.opened()) {
    if (mountpath->path() != path) continue;
    for (const auto& [id, name] : mountpath->buckets()) buckets.insert(id.value);
  }
  Mountpaths::Edit edit = [=, &engine](MountpathTable& table) {
    return let_go(table, path, begun, ended, emptying, buckets, engine.leaving());
  };
  co_return co_await change_apart(engine, nullptr, std::move(edit));
}

MountpathInfo info_of(const Engine& engine, const MountpathEntry& entry) {
  MountpathInfo info{.path = entry.path,
                     .state = std::string(text_of(entry.state)),
                     .why = entry.why,
                     .lacking = entry.is_lacking()};
  for (const auto& mountpath : engine.mounts.opened()) {
    if (mountpath->path() != entry.path) continue;
    info.lacking = info.lacking || !mountpath->lost().empty();
    info.fs = mountpath->facts().type;
    const BucketCounters counters = mountpath->index().counters();
    info.objects = counters.objects;
    info.used_bytes = counters.bytes;
    const auto space = disk::space_of(mountpath->root());
    if (!space) continue;
    if (const auto used = mountpath->above_high_watermark()) {
      info.why = std::to_string(*used) + "% of it is in use";
    }
    info.total_bytes = space->total_bytes;
    info.available_bytes = space->available_bytes;
  }
  // The last one that is left stays in use whatever happens to it.
  if (entry.is_open() && !entry.why.empty()) {
    info.state = text_of(State::kFailed);
    info.why = entry.why;
  }
  return info;
}

}  // namespace

Task<Status> Store::attach(std::string path) {
  CO_TRY(path, clean(std::move(path)));
  const auto guard = co_await engine_->admin.lock(0);
  co_return co_await take(*engine_, std::move(path));
}

Task<Status> Store::enable(std::string path) {
  CO_TRY(path, clean(std::move(path)));
  const auto guard = co_await engine_->admin.lock(0);
  const MountpathTable table = engine_->mounts.table();
  const MountpathEntry* known = table.find(path);
  if (known == nullptr || !known->is_known()) co_return not_known(path);
  if (known->state == State::kActive && !known->why.empty()) {
    if (table.active() == PlacedOn{path}) {
      co_return Error(Errc::busy, "the disk of " + path +
                                      " has failed, and it is the last one: mend it and start the "
                                      "node again");
    }
    // It was the last one when it failed, and stayed. What it is now a start of it shows.
    for (const auto& mountpath : engine_->mounts.opened()) {
      if (mountpath->path() == path) engine_->mounts.fail(*mountpath, Error(Errc::io, known->why));
    }
    co_return co_await take(*engine_, std::move(path));
  }
  if (known->state == State::kActive) co_return Status{};
  if (!known->is_emptied()) co_return co_await take(*engine_, std::move(path));
  Mountpaths::Edit edit = [path](MountpathTable& t) -> Status {
    MountpathEntry* entry = t.find(path);
    if (entry == nullptr || !entry->is_emptied()) return Error(Errc::busy, "it has just gone");
    entry->state = State::kActive;
    t.place_anew();
    return {};
  };
  co_return co_await change_apart(*engine_, nullptr, std::move(edit));
}

Task<Status> Store::disable(std::string path, Emptying emptying) {
  CO_TRY(path, clean(std::move(path)));
  const auto guard = co_await engine_->admin.lock(0);
  co_return co_await take_out(*engine_, std::move(path), State::kDisabling, State::kDisabled,
                              emptying);
}

Task<Status> Store::detach(std::string path, Emptying emptying) {
  CO_TRY(path, clean(std::move(path)));
  const auto guard = co_await engine_->admin.lock(0);
  co_return co_await take_out(*engine_, std::move(path), State::kDetaching, State::kDetached,
                              emptying);
}

Task<Status> Store::give_up_mountpath(std::string path) {
  CO_TRY(path, clean(std::move(path)));
  const auto guard = co_await engine_->admin.lock(0);
  const Mountpaths::Edit edit = [path](MountpathTable& table) -> Status {
    MountpathEntry* entry = table.find(path);
    if (entry == nullptr || (!entry->is_known() && !entry->is_lacking())) return not_known(path);
    if (entry->is_open()) return Error(Errc::busy, "mountpath " + path + " is in use: disable it");
    entry->held.clear();
    entry->state = State::kGivenUp;
    return {};
  };
  auto change = [this, &edit] { return engine_->mounts.change(edit); };
  co_return co_await engine_->chores.run(std::move(change));
}

bool Store::may_lack(const Key& key) const {
  if (!lacks_anything()) return false;
  const auto known = engine_->find_anywhere(key);
  return !engine_->check_known(key, known ? known->record : std::nullopt).ok();
}

void Store::set_copy_keeper(CopyKeeper* keeper) {
  if (keeper && engine_->returned_from) keeper->look_back_from(*engine_->returned_from);
  engine_->copy_keeper = keeper;
}

void Store::confirm(const Key& key, Version newest) {
  const MountpathSet& set = engine_->mounts.now();
  if (!set.lacks.empty()) engine_->confirmed.add(set.losses, key, newest);
}

bool Store::lacks_anything() const {
  return !engine_->mounts.now().lacks.empty() || engine_->has_lost_names();
}

Status Store::check_names_known(BucketId bucket) const {
  for (const Mountpath* mountpath : engine_->mounts.now().readable) {
    if (!mountpath->lost().any_of(bucket)) continue;
    return Error(Errc::not_ready, "names of the bucket on mountpath " + mountpath->path() +
                                      " cannot be read any more");
  }
  return {};
}

std::vector<std::pair<BucketId, std::string>> Store::lost_names() const {
  std::vector<Name> all;
  for (const Mountpath* mountpath : engine_->mounts.now().readable) {
    for (Name& name : mountpath->lost().all()) {
      if (!engine_->is_recorded(name)) all.push_back(std::move(name));
    }
  }
  return all;
}

std::uint64_t Store::mountpath_turn() const { return engine_->mounts.now().turn; }
bool Store::is_failing() const { return engine_->mounts.last_fails(); }
std::uint64_t Store::losses() const { return engine_->mounts.now().losses; }

StorageInfo Store::storage() const {
  StorageInfo info{.settled = engine_->mounts.now().settled, .resilver = resilver_->progress()};
  for (const MountpathEntry& entry : engine_->mounts.table().entries) {
    if (entry.is_known() || entry.is_lacking()) info.mountpaths.push_back(info_of(*engine_, entry));
  }
  return info;
}

Task<void> Store::run() { return resilver_->run(); }
Task<Result<bool>> Store::settle_names() { return resilver_->round(); }

}  // namespace aisfs::store
