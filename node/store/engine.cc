// SPDX-License-Identifier: MIT
#include "node/store/engine.h"

#include <algorithm>
#include <cstring>

#include "common/base/hash.h"
#include "common/disk/posix.h"
#include "common/model/version_key.h"
#include "common/obs/log.h"
#include "common/placement/hrw.h"
#include "node/store/layout.h"
#include "node/store/recovery.h"
#include "node/store/rename.h"
#include "node/store/resilver.h"
#include "node/store/slice_file.h"

namespace aisfs::store {
namespace {

// A reader of ranges who pauses longer than this finds its version gone.
constexpr Duration kSupersededLife = std::chrono::seconds(30);
// What a mount closed without a sync is on the disk after this, as on ext4 (commit=5).
constexpr Duration kFlushAfter = std::chrono::seconds(5);

}  // namespace

Engine::Engine(StoreOptions o, Clock& c)
    : options(std::move(o)),
      clock(c),
      files(options.open_files),
      mounts({.options = [this](const std::string& path) { return mountpath_options(path); },
              .gate = gate,
              .files = files,
              .leaving = [this] { return leaving(); },
              .returning = [this](std::uint64_t replicated) { note_return(replicated); }}),
      versions(c, options.epoch, options.incarnation, [this](std::uint64_t hlc) {
        return save_ceiling(hlc);
      }) {}

Engine::~Engine() {
  stop_ticking();
  files.clear();
  mounts.close();
}

MountpathOptions Engine::mountpath_options(const std::string& path) {
  MountpathOptions made{.path = path,
                        .cluster_uuid = options.cluster_uuid,
                        .node_id = options.node_id,
                        .stamped = options.stamped,
                        .threads = options.threads,
                        .reserve_bytes = options.reserve_bytes,
                        .intent_bytes = options.intent_bytes,
                        .high_watermark = options.high_watermark,
                        .out_of_space = options.out_of_space,
                        .last_version = [this] { return versions.last(); }};
  made.on_error = [this](Mountpath& mountpath, const Error& why) {
    // After a failed sync nobody knows what the disk has.
    if (mountpath.committer().suspect()) return mounts.fail(mountpath, why);
    mounts.suspect(mountpath);
  };
  return made;
}

Status Engine::open() {
  if (options.mountpaths.empty()) {
    return Error(Errc::invalid_argument, "a target needs at least one mountpath");
  }
  CHECK_OK(mounts.open(options.mountpaths));
  CHECK_OK(recover_all());
  CHECK_OK(start_clock());
  CHECK_OK(mounts.stamp(options.incarnation));
  ticker_ = std::thread([this] { tick(); });
  ready = true;
  return {};
}

Status Engine::recover_all() {
  const auto mountpaths = mounts.opened();
  std::vector<Result<Recovered>> recovered(mountpaths.size(), Result<Recovered>(Errc::internal));
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < mountpaths.size(); ++i) {
    threads.emplace_back([&, i] { recovered[i] = recover(*mountpaths[i]); });
  }
  for (auto& thread : threads) thread.join();
  bool in_order = true;
  for (std::size_t i = 0; i < mountpaths.size(); ++i) {
    if (!recovered[i]) {
      CHECK_OK(mounts.drop(*mountpaths[i], recovered[i].error()));
      continue;
    }
    reports.push_back(recovered[i]->report);
    in_order =
        in_order && (mountpaths[i]->index().was_clean() || recovered[i]->report.objects == 0);
  }
  mounts.start(in_order);
  for (std::size_t i = 0; i < mountpaths.size(); ++i) {
    if (!recovered[i]) continue;
    for (auto& intent : recovered[i]->renames) {
      TRY(const bool known, finish_rename(*this, intent));
      if (!known) doubt_rename(std::move(intent));
    }
  }
  return {};
}

void Engine::doubt_rename(RenameIntentRecord intent) {
  const std::lock_guard lock(doubted_mutex_);
  if (doubted_.size() < kDoubtedMax) return doubted_.push_back(std::move(intent));
  LOG_ERROR("a rename may have left both names", "from", intent.source, "to", intent.destination);
}

std::vector<RenameIntentRecord> Engine::take_doubted_renames() {
  const std::lock_guard lock(doubted_mutex_);
  return std::exchange(doubted_, {});
}

std::optional<BucketName> Engine::name_of(BucketId bucket) const {
  for (const auto& mountpath : mounts.opened()) {
    const auto buckets = mountpath->buckets();
    if (const auto it = buckets.find(bucket); it != buckets.end()) return it->second;
  }
  return std::nullopt;
}

Status Engine::start_clock() {
  std::uint64_t floor = 0;
  for (Mountpath* mountpath : mounts.now().readable) {
    TRY(const std::uint64_t ceiling, mountpath->load_ceiling());
    floor = std::max(floor, ceiling);
  }
  CHECK_OK(versions.start(floor));
  for (Mountpath* mountpath : mounts.now().readable) take_in(*mountpath);
  return {};
}

void Engine::take_in(Mountpath& mountpath) {
  mountpath.assume_synced(versions.last());
  promise_all();  // what earlier runs promised of single objects is not known
  pins.assume_read(versions.last());
}

Status Engine::save_ceiling(std::uint64_t hlc) {
  return mounts.on_all([hlc](Mountpath& mountpath) { return mountpath.save_ceiling(hlc); });
}

Leaving Engine::leaving() const {
  const CopyKeeper* keeper = copy_keeper.load();
  return {versions.last_version(), keeper ? keeper->replicated_until() : options.replicated};
}

void Engine::note_return(std::uint64_t replicated) {
  if (CopyKeeper* keeper = copy_keeper.load()) return keeper->look_back_from(replicated);
  returned_from = std::min(returned_from.value_or(replicated), replicated);
}

void Engine::tick() {
  std::unique_lock lock(tick_mutex_);
  while (!tick_wake_.wait_for(lock, std::chrono::seconds(1), [this] { return stop_; })) {
    lock.unlock();
    (void)mounts.on_all([this](Mountpath& mountpath) { return tick_mountpath(mountpath); });
    files.sweep(clock.now());
    if (Status st = versions.renew(); !st) {
      LOG_ERROR("the version clock's ceiling cannot be raised", "why", st.error().what());
    }
    lock.lock();
  }
}

Status Engine::tick_mountpath(Mountpath& mountpath) {
  mountpath.checkpoint();
  (void)mountpath.above_high_watermark();
  const auto known = [this, buckets = mountpath.buckets()](const Name& name) {
    return !buckets.contains(name.first) || is_recorded(name);
  };
  if (Status dropped = mountpath.lost().drop(known); !dropped) {
    LOG_WARN("the list of lost names cannot be written", "mountpath", mountpath.path(), "why",
             dropped.error().what());
  }
  if (!mountpath.committer().is_flush_due(kFlushAfter)) return {};
  promise_all();  // before the barrier: what it makes durable is not written over
  mountpath.committer().flush();
  return {};
}

void Engine::stop_ticking() {
  {
    std::lock_guard lock(tick_mutex_);
    stop_ = true;
  }
  tick_wake_.notify_all();
  if (ticker_.joinable()) ticker_.join();
}

void Engine::close() {
  ready = false;
  stop_ticking();
  files.clear();
  mounts.close(true);
}

std::uint64_t Engine::lock_hash(const Key& key) {
  return layout::key_hash(plain_key(key.key())) ^ key.bucket.value * 0x9E3779B97F4A7C15ull;
}

Error out_of_reach(const Lack& lack, const std::string& what) {
  return Error(Errc::not_ready, what + " may lie on mountpath " + lack.path +
                                    ", which is out of reach: " + lack.why);
}

std::shared_ptr<Mountpath> Engine::hold_place(const Key& key) const {
  while (true) {
    if (auto held = mounts.hold(mountpath_of(key))) return held;
    // It has failed between the two looks.
  }
}

Task<NameGuard> Engine::lock_in_place(const Key& key) {
  NameGuard guard;
  guard.pass = co_await gate.enter();
  guard.first = co_await locks.lock(lock_hash(key));
  co_return guard;
}

Task<Result<NameGuard>> Engine::lock(const Key& key) {
  NameGuard guard = co_await lock_in_place(key);
  if (!mounts.now().settled) CO_CHECK_OK(co_await bring_to_place(*this, key));
  co_return guard;
}

Task<Result<NameGuard>> Engine::lock_to_remove(const Key& key, bool in_place) {
  if (!in_place) co_return co_await lock(key);
  co_return co_await lock_in_place(key);
}

Task<Result<NameGuard>> Engine::lock_both(const Key& a, const Key& b) {
  NameGuard guard;
  guard.pass = co_await gate.enter();
  std::tie(guard.first, guard.second) = co_await locks.lock_both(lock_hash(a), lock_hash(b));
  if (!mounts.now().settled) {
    CO_CHECK_OK(co_await bring_to_place(*this, a));
    CO_CHECK_OK(co_await bring_to_place(*this, b));
  }
  co_return guard;
}

Result<Engine::Found> Engine::find_anywhere(const Key& key) const {
  const MountpathSet& set = mounts.now();
  Mountpath& place = set.place_of(key.digest);
  Found found{.record = {}, .mountpath = &place};
  // What moves goes to the place, which is looked at last.
  for (Mountpath* mountpath : set.readable) {
    if (set.settled) break;
    if (mountpath == &place) continue;
    TRY(auto other, mountpath->index().get(key.bucket, key.key()));
    if (!other) continue;
    if (found.record && found.record->info.meta_version >= other->info.meta_version) continue;
    found = {std::move(other), mountpath};
  }
  TRY(auto there, place.index().get(key.bucket, key.key()));
  const bool older =
      found.record && there && there->info.meta_version < found.record->info.meta_version;
  if (there && !older) found = {std::move(there), &place};
  return found;
}

Result<std::optional<IndexPeek>> Engine::peek(const Key& key) const {
  const MountpathSet& set = mounts.now();
  std::optional<IndexPeek> newest;
  // As find_anywhere() does.
  for (Mountpath* mountpath : set.readable) {
    if (set.settled) break;
    TRY(auto other, mountpath->index().peek(key.bucket, key.key()));
    if (other && (!newest || newest->meta_version < other->meta_version)) newest = std::move(other);
  }
  TRY(auto there, set.place_of(key.digest).index().peek(key.bucket, key.key()));
  if (there && (!newest || newest->meta_version <= there->meta_version)) newest = std::move(there);
  return newest;
}

Status Engine::check_known(const Key& key, const std::optional<IndexRecord>& known) const {
  const MountpathSet& set = mounts.now();
  if (known) return check_newest(set, key, known->info.meta_version);
  if (const Lack* lack = set.lack_of(key.bucket, key.digest)) {
    return out_of_reach(*lack, "\"" + key.display() + "\"");
  }
  for (const Mountpath* mountpath : set.readable) {
    if (!mountpath->lost().contains(key.bucket, key.key())) continue;
    return Error(Errc::not_ready, "\"" + key.display() + "\" lay on mountpath " +
                                      mountpath->path() + " and cannot be read any more");
  }
  return {};
}

Status Engine::check_newest(const MountpathSet& set, const Key& key, Version known) const {
  const Lack* lack = set.lack_of(key.bucket, key.digest, known);
  if (lack == nullptr || confirmed.contains(set.losses, key, known)) return {};
  return out_of_reach(*lack, "a newer version of \"" + key.display() + "\"");
}

bool Engine::is_lost(const Key& key) const {
  const auto& all = mounts.now().readable;
  return std::any_of(all.begin(), all.end(), [&](const Mountpath* mountpath) {
    return mountpath->lost().contains(key.bucket, key.key());
  });
}

bool Engine::has_lost_names() const {
  const auto& all = mounts.now().readable;
  return std::any_of(all.begin(), all.end(), [](const auto* one) { return !one->lost().empty(); });
}

bool Engine::is_recorded(const Name& name) const {
  const auto& all = mounts.now().readable;
  return std::any_of(all.begin(), all.end(), [&](const Mountpath* mountpath) {
    const auto there = mountpath->index().peek(name.first, name.second);
    return there && *there;
  });
}

Result<std::optional<IndexRecord>> Engine::newest(const Key& key) const {
  if (!ready) return Error(Errc::not_ready, "the target recovers its disks");
  const MountpathSet& set = mounts.now();
  if (set.settled) return set.place_of(key.digest).index().get(key.bucket, key.key());
  TRY(Found found, find_anywhere(key));
  return std::move(found.record);
}

Result<std::optional<IndexRecord>> Engine::find(const Key& key) const {
  TRY(auto record, newest(key));
  CHECK_OK(check_known(key, record));
  if (record && !record->visible()) record.reset();
  return record;
}

Result<std::optional<IndexRecord>> Engine::find_to_replace(const Key& key) const {
  TRY(auto record, newest(key));
  if (record && !record->visible()) record.reset();
  return record;
}

Task<Result<std::optional<IndexRecord>>> Engine::find_whole(Key key) {
  CO_TRY(auto record, find(key));
  if (!record || record->complete) co_return record;
  CO_TRY(const auto file, co_await open_file(key, *record));
  if (file->meta.info.meta_version == record->info.meta_version) {
    record->info = file->meta.info;
  } else {  // the cache has an older look at the same file
    auto read = [&key, &file] {
      return read_meta(*file->mountpath, dir_of(key.name.bucket), file->fd.get());
    };
    CO_TRY(auto meta, co_await file->mountpath->pool().run(std::move(read)));
    if (meta.info.meta_version != record->info.meta_version) {
      // Or at another with the same content, of a name that was renamed to this one elsewhere.
      files.forget(record->info.content_version);
      CO_TRY(const auto anew, co_await open_file(key, *record));
      meta = anew->meta;
    }
    record->info = std::move(meta.info);
  }
  record->complete = true;
  co_return record;
}

std::string content_path(const std::string& bucket_dir, const Reference& reference) {
  return layout::old_path(bucket_dir, layout::key_hash(reference.key), reference.content_version);
}

namespace {

/// Where a file may lie: at the name's place first.
std::vector<Mountpath*> places_of(const MountpathSet& set, std::uint64_t digest) {
  std::vector<Mountpath*> places{&set.place_of(digest)};
  if (set.settled) return places;
  for (Mountpath* mountpath : set.readable) {
    if (mountpath != places[0]) places.push_back(mountpath);
  }
  return places;
}

}  // namespace

Result<std::shared_ptr<OpenFile>> Engine::open_file_now(const Key& key,
                                                        const IndexRecord& record,
                                                        ReadPins::Pin pin) {
  const Version version = record.info.content_version;
  const std::string dir = dir_of(key.name.bucket);
  std::uint64_t digest = key.digest;
  std::string path;
  if (record.reference && record.reference->is_empty()) {
    return Error(Errc::internal, "a reservation has no file");
  }
  CHECK_OK(check_whole(record.reference, key.display()));
  if (record.kind == IndexRecord::Kind::kReference) {
    digest = make_key(key.bucket, {key.name.bucket, record.reference->key}).digest;
    path = content_path(dir, *record.reference);
  } else {
    path = path_of(dir, key.key(), record.escaped);
  }
  const MountpathSet& set = mounts.now();
  Error failed(Errc::stale_map);
  for (Mountpath* mountpath : places_of(set, digest)) {
    const auto held = mounts.hold(*mountpath);
    if (!held) continue;
    auto file = held->noted(open_object_file(*held, dir, path));
    const bool right = file && (*file)->meta.info.content_version == version;
    if (!right && !set.settled) {  // it may be at the next one
      if (!file) failed = std::move(file).error();
      continue;
    }
    if (!file) return std::move(file).error();
    if (!right) return Error(Errc::stale_map);  // raced
    (*file)->mountpath = held;
    (*file)->pin = std::move(pin);
    // What was read of another copy says nothing of this one.
    const bool may_differ = set.keeps_copies(key.bucket);
    if (may_differ && verified_turn_.exchange(set.turn) != set.turn) verified.clear();
    if (verified.contains(version)) (*file)->verified = true;
    return file;
  }
  const bool refers = record.kind == IndexRecord::Kind::kReference;
  // Of content that names refer to there are no copies.
  const Lack* lack = refers ? set.lack_of(BucketId{}, digest) : nullptr;
  return lack == nullptr ? std::move(failed)
                         : out_of_reach(*lack, "the content of " + key.display());
}

Task<Result<std::shared_ptr<OpenFile>>> Engine::open_file(Key key, IndexRecord record) {
  const Version version = record.info.content_version;
  if (auto file = files.find(version)) co_return file;
  auto pin = pins.pin(version);  // before the path is looked at
  auto open = [this, &key, &record, &pin] { return open_file_now(key, record, std::move(pin)); };
  const auto mountpath = hold_place(key);
  auto opened = co_await mountpath->pool().run(std::move(open));
  if (opened) files.insert(*opened);
  co_return opened;
}

std::shared_ptr<OpenFile> Engine::open_of(const Key& key) {
  if (!ready) return nullptr;
  const auto now = peek(key);
  if (!now || !*now || (*now)->kind != IndexRecord::Kind::kObject) return nullptr;
  if (!check_newest(mounts.now(), key, (*now)->meta_version)) return nullptr;
  auto file = files.find((*now)->content_version);
  // Attributes that changed since the file was opened are in the record alone.
  if (!file || file->meta.info.meta_version != (*now)->meta_version) return nullptr;
  return file;
}

void Engine::promise_all() {
  const std::uint64_t now = versions.last();
  std::uint64_t known = promised_.load();
  while (known < now && !promised_.compare_exchange_weak(known, now)) {
  }
}

bool Engine::is_promised(const IndexRecord& version) const {
  return version.level != Durability::kNone ||
         version.info.content_version.hlc <= promised_.load();
}

Status Engine::drop_content(const Key& home, const Reference& content) {
  const std::string path = content_path(dir_of(home.name.bucket), content);
  Status failed;
  for (Mountpath* mountpath : places_of(mounts.now(), home.digest)) {
    const auto held = mounts.hold(*mountpath);
    if (!held) continue;
    Status gone = disk::unlink_beneath(held->root(), path);
    if (!gone && gone.error().code() != Errc::not_found) failed = std::move(gone);
  }
  return failed;
}

void Engine::drop_replaced(Mountpath& mountpath, const Key& key, const IndexRecord& old) {
  const std::string dir = dir_of(key.name.bucket);
  files.supersede(old.info.content_version, clock.now() + kSupersededLife);
  if (old.reference && old.reference->is_empty()) return;
  if (old.kind == IndexRecord::Kind::kReference) {
    // Its bytes are the only ones until what replaces it has its copies; then they are dropped.
    if (mounts.now().keeps_copies(key.bucket)) return;
    const Key home = make_key(key.bucket, {key.name.bucket, old.reference->key});
    [[maybe_unused]] const Status gone = drop_content(home, *old.reference);
    return;
  }
  if (old.complete && surely_without_side(key.key(), old.info)) return;
  // The same file under the name that references elsewhere know.
  const std::string linked = content_path(dir, {key.key(), old.info.content_version});
  if (disk::stat_beneath(mountpath.root(), linked)) return;
  remove_side(mountpath, dir, key.key(), old.info.meta_version);
  if (!is_version_key(key.key())) return;
  remove_side(mountpath, dir, plain_key(key.key()),
              old.info.meta_version);  // of its time as current
}

}  // namespace aisfs::store
