// SPDX-License-Identifier: MIT
#include "node/store/disk_copies.h"

#include <algorithm>

#include "common/model/version_key.h"
#include "common/obs/log.h"
#include "common/placement/hrw.h"
#include "node/store/file_body.h"
#include "node/store/put.h"
#include "node/store/scrub.h"
#include "node/store/slice_file.h"

namespace aisfs::store {
namespace {

using Places = std::vector<Mountpath*>;

Error gone() { return Error(Errc::not_ready, "a mountpath has gone"); }

/// The newest state that mountpaths have of a key, and all of them that have it, in their order.
struct Newest {
  std::optional<IndexRecord> record;
  Places at;
};

Result<Newest> newest_of(const Places& mountpaths, const Key& key) {
  Newest newest;
  for (Mountpath* mountpath : mountpaths) {
    TRY(auto record, mountpath->index().get(key.bucket, key.key()));
    if (!record) continue;
    const Version known = newest.record ? newest.record->info.meta_version : Version();
    if (newest.record && record->info.meta_version < known) continue;
    if (!newest.record || record->info.meta_version > known) newest = {std::move(record), {}};
    newest.at.push_back(mountpath);
  }
  return newest;
}

/// Of the file that is copied: it is not what was written, and will not be.
bool is_damage(const Error& error) {
  return error == Errc::corrupt || error == Errc::bad_checksum || error == Errc::no_attribute;
}

/// Whether another mountpath that has the same may do better.
bool another_may_do(const Error& error) {
  return is_damage(error) || error == Errc::io || error == Errc::not_found;
}

/// Whether who changes a name goes on without the copy. Not where a disk fails: it is taken out
/// soon, and until then it may have the change alone.
bool may_do_without(const Error& error) { return error == Errc::no_space || is_damage(error); }

bool is_object(const IndexRecord& record) { return record.kind == IndexRecord::Kind::kObject; }

bool refers_to_content(const IndexRecord& record) {
  return record.kind == IndexRecord::Kind::kReference && !record.reference->is_empty() &&
         !is_sliced(*record.reference);
}

/// As durable as it is where it was made: an fsync or a later barrier may have passed.
Durability level_of(const IndexRecord& record, Mountpath& mountpath) {
  return mountpath.is_durable(record.info) ? Durability::kFull : record.level;
}

/// Puts `record` of `from` on `to`, which has an older state or none.
Task<Status> copy_from(Engine& engine,
                       const Key& key,
                       const IndexRecord& record,
                       Mountpath& from,
                       Mountpath& to,
                       Durability level) {
  CO_TRY(auto there, to.index().get(key.bucket, key.key()));
  // What another copy refers to is not this one's to drop.
  if (there && there->kind == IndexRecord::Kind::kReference) there.reset();
  const bool same_content = there && is_object(*there) && is_object(record) &&
                            there->info.content_version == record.info.content_version;
  if (same_content) {
    Status copied = co_await copy_attrs(engine, key, record, *there, from, to, level);
    if (copied || !another_may_do(copied.error())) co_return copied;
  }
  co_return co_await copy_state(engine, key, record, std::move(there), from, to, level);
}

/// One of the mountpaths that have it gives it to `to`: the next one, where a file is damaged.
Task<Status> copy_to(
    Engine& engine, const Key& key, const Newest& newest, Mountpath& to, Durability level) {
  Status copied;
  for (Mountpath* from : newest.at) {
    copied = co_await copy_from(engine, key, *newest.record, *from, to, level);
    if (copied || !another_may_do(copied.error())) break;
  }
  co_return copied;
}

/// A name is not at all its places: the resilver sees to it.
Task<Status> unsettle(Engine& engine) {
  ++engine.copies_left;  // a walk that has passed it by is not the last one
  const MountpathTable now = engine.mounts.table();
  if (!now.settled && now.stale) co_return Status{};
  auto change = [&engine] {
    return engine.mounts.change([](MountpathTable& table) -> Status {
      table.unsettle();
      return {};
    });
  };
  co_return co_await engine.chores.run(std::move(change));
}

/// There is no room for the copy: what is there of the name is older, and goes. Or it is damaged
/// where it is to be copied from, and what is there is the last that can be read: it stays.
Task<Status> do_without(Engine& engine, const Key& key, Mountpath& at, const Error& why) {
  if (engine.mounts.now().settled) {
    LOG_WARN("a disk has not got the copies that it is to keep", "mountpath", at.path(), "object",
             key.display(), "why", why.what());
  }
  CO_CHECK_OK(co_await unsettle(engine));
  CO_TRY(auto there, at.index().get(key.bucket, key.key()));
  const bool goes = there && why == Errc::no_space;
  if (goes) CO_CHECK_OK(co_await leave(engine, at, key, *std::move(there), Leave::kSoon));
  co_return Status{};
}

/// The newest of the places' states comes to all of them; false: it refers to content.
Task<Result<bool>> level_one(Engine& engine, const Key& key, Version at_least) {
  const Places places = engine.mounts.now().places_of(key.bucket, key.digest);
  CO_TRY(const Newest newest, newest_of(places, key));
  const Version known = newest.record ? newest.record->info.meta_version : Version();
  if (known < at_least) co_return gone();
  if (!newest.record) co_return true;
  const bool refers = refers_to_content(*newest.record);
  if (refers) engine.note_reference(key);
  for (Mountpath* to : places) {
    if (std::find(newest.at.begin(), newest.at.end(), to) != newest.at.end()) continue;
    const auto held = engine.mounts.hold(*to);
    if (!held) co_return gone();
    const Durability level = level_of(*newest.record, *newest.at.front());
    Status copied = co_await copy_to(engine, key, newest, *to, level);
    if (copied) continue;
    const Error why = std::move(copied).error();
    if (to == places.front() || !may_do_without(why)) co_return why;
    CO_CHECK_OK(co_await do_without(engine, key, *to, why));
  }
  co_return !refers;
}

/// The keys of what is kept of one, on any of the mountpaths, and its own: at no time a version is
/// gone from where it was kept before it is the current one, nor is that there without older ones.
Result<std::vector<std::string>> all_keys(const Places& mountpaths, const Key& plain) {
  std::set<std::string, std::greater<>> all;  // oldest first
  for (const Mountpath* mountpath : mountpaths) {
    TRY(const auto some, kept_on(*mountpath, plain));
    all.insert(some.begin(), some.end());
  }
  std::vector<std::string> kept, gone;
  for (const std::string& one : all) {
    TRY(const Newest newest, newest_of(mountpaths, sibling_of(plain, one)));
    const bool is_kept = newest.record && newest.record->visible();
    (is_kept ? kept : gone).push_back(one);
  }
  kept.push_back(plain.key());
  kept.insert(kept.end(), gone.begin(), gone.end());
  return kept;
}

/// As level_one(), with what lies elsewhere, and durably.
Task<Status> spread_one(Engine& engine, const Key& key, Leave how) {
  const MountpathSet& set = engine.mounts.now();
  const Places places = set.places_of(key.bucket, key.digest);
  Places all = places;
  for (Mountpath* other : set.readable) {
    if (std::find(all.begin(), all.end(), other) == all.end()) all.push_back(other);
  }
  CO_TRY(const Newest newest, newest_of(all, key));
  if (!newest.record) co_return Status{};
  if (refers_to_content(*newest.record)) {
    engine.note_reference(key);
    // Until it is plain there would be two records of it and its bytes once.
    if (how == Leave::kSoon) co_return Error(Errc::not_ready, key.display() + " is not plain yet");
  }
  bool whole = true;
  for (Mountpath* to : places) {
    if (std::find(newest.at.begin(), newest.at.end(), to) != newest.at.end()) continue;
    Status copied = co_await copy_to(engine, key, newest, *to, Durability::kFull);
    if (copied) continue;
    const Error why = std::move(copied).error();
    // Who is about to change the name needs its first place alone.
    const bool needed = to == places.front() || how == Leave::kSoon;
    if (needed || !may_do_without(why)) co_return why;
    CO_CHECK_OK(co_await do_without(engine, key, *to, why));
    whole = false;
  }
  if (&engine.mounts.now() != &set && whole) co_return gone();
  std::vector<std::pair<Mountpath*, IndexRecord>> others;
  for (std::size_t i = places.size(); whole && i < all.size(); ++i) {
    CO_TRY(auto record, all[i]->index().get(key.bucket, key.key()));
    if (record) others.emplace_back(all[i], *std::move(record));
  }
  if (others.empty()) co_return Status{};
  // They replace what may have been durable.
  for (Mountpath* place : places) CO_CHECK_OK(co_await sync_mountpath(*place));
  for (auto& [from, record] : others) {
    CO_CHECK_OK(co_await leave(engine, *from, key, std::move(record), how));
  }
  co_return Status{};
}

}  // namespace

Task<Status> level_copies(Engine& engine, const Key& key, Version at_least) {
  if (!engine.mounts.now().keeps_copies(key.bucket)) co_return Status{};
  CO_TRY([[maybe_unused]] const bool whole, co_await level_one(engine, key, at_least));
  co_return Status{};
}

Task<Status> make_copy_again(Engine& engine, const Key& key, Mountpath& at, IndexRecord bad) {
  const Version version = bad.info.meta_version;
  Places others = engine.mounts.now().places_of(key.bucket, key.digest);
  std::erase(others, &at);
  CO_TRY(const Newest newest, newest_of(others, key));
  if (!newest.record || newest.record->info.meta_version < version) co_return gone();
  auto set = [&] { return set_aside(at, key, bad); };
  CO_CHECK_OK(co_await at.pool().run(std::move(set)));
  CO_CHECK_OK(co_await unsettle(engine));
  CO_CHECK_OK(co_await leave(engine, at, key, std::move(bad), Leave::kSoon));
  co_return co_await level_copies(engine, key, version);
}

Task<Status> forget_copies(Engine& engine, const Key& key) {
  const MountpathSet& set = engine.mounts.now();
  if (!set.keeps_copies(key.bucket)) co_return Status{};
  const Places places = set.places_of(key.bucket, key.digest);
  for (std::size_t i = 1; i < places.size(); ++i) {
    CO_TRY(auto record, places[i]->index().get(key.bucket, key.key()));
    if (!record) continue;
    CO_CHECK_OK(co_await leave(engine, *places[i], key, *std::move(record), Leave::kSoon));
  }
  co_return Status{};
}

Task<Status> spread(Engine& engine, const Key& plain, Leave how) {
  CO_TRY(const auto keys, all_keys(engine.mounts.now().readable, plain));
  for (const std::string& one : keys) {
    const Key key = sibling_of(plain, one);
    CO_CHECK_OK(co_await spread_one(engine, key, how));
  }
  co_return Status{};
}

namespace {

using Counts = std::map<std::uint64_t, std::uint32_t>;

std::uint32_t count_of(const Counts& copies, std::uint64_t bucket) {
  const auto it = copies.find(bucket);
  return it == copies.end() ? 1 : it->second;
}

std::set<std::uint64_t> changed_between(const Counts& before, const Counts& after) {
  std::set<std::uint64_t> changed;
  for (const Counts& some : {before, after}) {
    for (const auto& [bucket, _] : some) {
      if (count_of(before, bucket) != count_of(after, bucket)) changed.insert(bucket);
    }
  }
  return changed;
}

}  // namespace

bool is_misplaced(const MountpathSet& set, const Mountpath& mountpath, const Key& key) {
  if (!set.keeps_copies(key.bucket)) return &set.place_of(key.digest) != &mountpath;
  const Places places = set.places_of(key.bucket, key.digest);
  if (std::find(places.begin(), places.end(), &mountpath) == places.end()) return true;
  const auto here = mountpath.index().peek(key.bucket, key.key());
  return std::any_of(places.begin(), places.end(), [&](const Mountpath* place) {
    const auto there = place->index().peek(key.bucket, key.key());
    if (!here || !there) return true;
    return *here && (!*there || (*there)->meta_version != (*here)->meta_version);
  });
}

std::function<bool(std::string_view, std::string_view)> Engine::without_copies(
    const MountpathSet& set, const Mountpath& mountpath, BucketId bucket) const {
  const auto name = set.keeps_copies(bucket) ? name_of(bucket) : std::nullopt;
  if (!name) return nullptr;
  return [&set, &mountpath, name = *name](std::string_view key, std::string_view) {
    const std::uint64_t digest = placement::placement_digest({name, std::string(key)});
    return &set.place_of(digest) == &mountpath;
  };
}

void Engine::note_reference(const Key& key) {
  const std::lock_guard lock(references_mutex_);
  if (references_.size() < kReferencesMax) references_.emplace(Name{key.bucket, key.key()}, key);
}

std::vector<Key> Engine::take_references() {
  const std::lock_guard lock(references_mutex_);
  std::vector<Key> keys;
  for (auto& [_, key] : references_) keys.push_back(std::move(key));
  references_.clear();
  return keys;
}

// --- Store --------------------------------------------------------------------------------------

Task<Status> Store::keep_copies(std::map<BucketId, std::uint32_t> wanted) {
  Counts next;
  for (const auto& [bucket, count] : wanted) {
    if (count > 1) next.emplace(bucket.value, count);
  }
  if (engine_->mounts.now().copies == next) co_return Status{};
  Counts before;
  bool was_settled = false;
  std::uint64_t version = 0;
  auto keep = [&] {
    return engine_->mounts.change([&](MountpathTable& table) -> Status {
      before = table.copies;
      was_settled = table.settled;
      version = table.version;
      table.keep(next);
      return {};
    });
  };
  CO_CHECK_OK(co_await engine_->chores.run(std::move(keep)));
  // Of a bucket that nothing was ever written of there is nothing to be copied. Looked at when
  // everybody who begins to write reckons with the copies.
  const auto is_known = [this](std::uint64_t bucket) {
    const auto all = engine_->mounts.opened();
    return std::any_of(all.begin(), all.end(), [&](const auto& mountpath) {
      return mountpath->buckets().contains(BucketId{bucket});
    });
  };
  const std::set<std::uint64_t> changed = changed_between(before, next);
  if (!was_settled || std::any_of(changed.begin(), changed.end(), is_known)) co_return Status{};
  auto settle = [&] {
    return engine_->mounts.change([&](MountpathTable& table) -> Status {
      if (table.version == version + 1) table.settle();  // nothing else has come between
      return {};
    });
  };
  co_return co_await engine_->chores.run(std::move(settle));
}

std::uint32_t Store::copies_kept(BucketId bucket) const {
  return count_of(engine_->mounts.now().copies, bucket.value);
}

Task<Result<bool>> Store::copy_to_disks(Key plain) {
  if (!engine_->mounts.now().keeps_copies(plain.bucket)) co_return true;
  CO_TRY(const auto guard, co_await engine_->lock(plain));
  const Places places = engine_->mounts.now().places_of(plain.bucket, plain.digest);
  CO_TRY(const auto keys, all_keys(places, plain));
  bool whole = true;
  for (const std::string& one : keys) {
    const Key key = sibling_of(plain, one);
    CO_TRY(const bool copied, co_await level_one(*engine_, key, Version()));
    whole = whole && copied;
  }
  co_return whole;
}

std::vector<Key> Store::take_references() { return engine_->take_references(); }

Task<Result<bool>> Store::heal_from_disks(Key key, Version meta_version) {
  const MountpathSet& set = engine_->mounts.now();
  if (!set.keeps_copies(key.bucket)) co_return false;
  const Places places = set.places_of(key.bucket, key.digest);
  const std::string dir = dir_of(key.name.bucket);
  for (std::size_t i = 1; i < places.size(); ++i) {
    const auto held = engine_->mounts.hold(*places[i]);
    if (!held) continue;
    CO_TRY(const auto record, held->index().get(key.bucket, key.key()));
    const bool same = record && record->kind == IndexRecord::Kind::kObject &&
                      record->info.meta_version == meta_version;
    if (!same) continue;
    auto open = [&] {
      return open_object_file(*held, dir, path_of(dir, key.key(), record->escaped));
    };
    auto file = held->noted(co_await held->pool().run(std::move(open)));
    if (!file) continue;
    (*file)->mountpath = held;
    StoredMeta meta = (*file)->meta;
    const ByteRange all{0, meta.info.size};
    FileBody body(*engine_, *std::move(file), all, VerifyRead::kAlways);
    auto healed = co_await replace_damaged(key, std::move(meta), body);
    if (healed) co_return healed;
    LOG_INFO("no good copy here", "object", key.display(), "mountpath", held->path(), "why",
             healed.error().what());
  }
  co_return false;
}

}  // namespace aisfs::store
