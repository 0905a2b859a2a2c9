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
      versions(c, options.epoch, options.incarnation,
               [this](std::uint64_t hlc) {
                 Status failed;
                 std::size_t saved = 0;
                 for (auto& mountpath : mountpaths) {
                   Status st = mountpath->save_ceiling(hlc);
                   st.ok() ? void(++saved) : void(failed = std::move(st));
                 }
                 return saved > 0 ? Status() : failed;
               }),
      files(options.open_files) {}

Engine::~Engine() { stop_ticking(); }

Status Engine::open() {
  if (options.mountpaths.empty()) {
    return Error(Errc::invalid_argument, "a target needs at least one mountpath");
  }
  for (const std::string& path : options.mountpaths) {
    TRY(auto mountpath, Mountpath::open({.path = path,
                                         .cluster_uuid = options.cluster_uuid,
                                         .node_id = options.node_id,
                                         .stamped = options.stamped,
                                         .threads = options.threads,
                                         .reserve_bytes = options.reserve_bytes,
                                         .intent_bytes = options.intent_bytes,
                                         .last_version = [this] { return versions.last(); }}));
    mountpaths.push_back(std::move(mountpath));
    digests_.push_back(placement::digest(path));
  }
  reports.resize(mountpaths.size());
  CHECK_OK(recover_all());
  CHECK_OK(start_clock());
  for (auto& mountpath : mountpaths) {
    if (Status done = mountpath->stamp(options.incarnation); !done) {
      return std::move(done).error().context("mountpath " + mountpath->path());
    }
  }
  ticker_ = std::thread([this] { tick(); });
  ready = true;
  return {};
}

Status Engine::recover_all() {
  std::vector<Result<Recovered>> recovered(mountpaths.size(), Result<Recovered>(Errc::internal));
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < mountpaths.size(); ++i) {
    threads.emplace_back([this, i, &recovered] { recovered[i] = recover(*mountpaths[i]); });
  }
  for (auto& thread : threads) thread.join();
  for (std::size_t i = 0; i < mountpaths.size(); ++i) {
    if (!recovered[i]) return std::move(recovered[i]).error();
    reports[i] = recovered[i]->report;
  }
  for (std::size_t i = 0; i < mountpaths.size(); ++i) {
    for (const auto& intent : recovered[i]->renames) CHECK_OK(finish_rename(*mountpaths[i], intent));
  }
  return {};
}

/// A rename to another mountpath happened when the destination has its version; then the source
/// must be gone. Else it did not happen, and the content's second name goes.
Status Engine::finish_rename(Mountpath& source, const RenameIntentRecord& intent) {
  const auto buckets = source.buckets();
  const auto bucket = buckets.find(intent.bucket);
  if (bucket == buckets.end()) return {};
  const Key from = make_key(intent.bucket, {bucket->second, intent.source});
  const Key to = make_key(intent.bucket, {bucket->second, intent.destination});
  TRY(const auto there, mountpath_of(to).index().get(to.bucket, to.key()));
  TRY(const auto left, source.index().get(from.bucket, from.key()));
  const bool source_is_left = left && left->kind == IndexRecord::Kind::kObject &&
                              left->info.meta_version == intent.source_meta_version;
  if (!source_is_left) return {};
  // A destination that somebody wrote since says nothing about the rename: the source stays.
  const bool happened = there && there->reference &&
                        there->reference->content_version == intent.source_version;
  if (happened) {
    return forget_name(source, from, *left, intent.destination_version);
  }
  const Reference content{intent.source, intent.source_version};
  Status gone = disk::unlink_beneath(source.root(), content_path(dir_of(bucket->second), content));
  return !gone && gone.error().code() == Errc::not_found ? Status() : gone;
}

Status Engine::start_clock() {
  std::uint64_t floor = 0;
  for (const auto& mountpath : mountpaths) {
    TRY(const std::uint64_t ceiling, mountpath->load_ceiling());
    floor = std::max(floor, ceiling);
  }
  CHECK_OK(versions.start(floor));
  for (const auto& mountpath : mountpaths) mountpath->assume_synced(versions.last());
  promise_all();  // what earlier runs promised of single objects is not known
  pins.assume_read(versions.last());
  return {};
}

void Engine::tick() {
  std::unique_lock lock(tick_mutex_);
  while (!tick_wake_.wait_for(lock, std::chrono::seconds(1), [this] { return stop_; })) {
    lock.unlock();
    for (auto& mountpath : mountpaths) {
      mountpath->checkpoint();
      if (!mountpath->committer().is_flush_due(kFlushAfter)) continue;
      promise_all();  // before the barrier: what it makes durable is not written over
      mountpath->committer().flush();
    }
    files.sweep(clock.now());
    if (Status st = versions.renew(); !st) {
      LOG_ERROR("the version clock's ceiling cannot be raised", "why", st.error().what());
    }
    lock.lock();
  }
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
  for (auto& mountpath : mountpaths) {
    if (Status st = mountpath->close_clean(); !st) {
      LOG_WARN("no clean close: the next start recovers", "mountpath", mountpath->path(), "why",
               st.error().what());
    }
  }
  mountpaths.clear();
}

std::size_t Engine::mountpath_index(std::uint64_t digest) const {
  return placement::heaviest(digests_, digest);
}

std::uint64_t Engine::lock_hash(const Key& key) {
  return layout::key_hash(plain_key(key.key())) ^ key.bucket.value * 0x9E3779B97F4A7C15ull;
}

Result<std::optional<IndexRecord>> Engine::find(const Key& key) {
  if (!ready) return Error(Errc::not_ready, "the target recovers its disks");
  TRY(auto record, mountpath_of(key).index().get(key.bucket, key.key()));
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
    auto read = [this, &key, &file] {
      return read_meta(mountpath_of(key), dir_of(key.name.bucket), file->fd.get());
    };
    CO_TRY(auto meta, co_await mountpath_of(key).pool().run(std::move(read)));
    record->info = std::move(meta.info);
  }
  record->complete = true;
  co_return record;
}

std::string content_path(const std::string& bucket_dir, const Reference& reference) {
  return layout::old_path(bucket_dir, layout::key_hash(reference.key), reference.content_version);
}

Result<std::shared_ptr<OpenFile>> Engine::open_file_now(const Key& key, const IndexRecord& record) {
  const std::string dir = dir_of(key.name.bucket);
  std::size_t index = mountpath_index(key.digest);
  std::string path;
  if (record.reference && record.reference->is_empty()) {
    return Error(Errc::internal, "a reservation has no file");
  }
  if (record.kind == IndexRecord::Kind::kReference) {
    const Key home = make_key(key.bucket, {key.name.bucket, record.reference->key});
    index = mountpath_index(home.digest);
    path = content_path(dir, *record.reference);
  } else {
    path = path_of(dir, key.key(), record.escaped);
  }
  TRY(auto file, open_object_file(*mountpaths[index], dir, path));
  file->mountpath = index;
  return file;
}

Task<Result<std::shared_ptr<OpenFile>>> Engine::open_file(Key key, IndexRecord record) {
  const Version version = record.info.content_version;
  if (auto file = files.find(version)) co_return file;
  auto pin = pins.pin(version);  // before the path is looked at
  auto open = [this, &key, &record] { return open_file_now(key, record); };
  auto opened = co_await mountpath_of(key).pool().run(std::move(open));
  if (!opened) co_return std::move(opened).error();
  std::shared_ptr<OpenFile> file = *std::move(opened);
  file->pin = std::move(pin);
  if (file->meta.info.content_version != version) co_return Error(Errc::stale_map);  // raced
  if (verified.contains(version)) file->verified = true;
  files.insert(file);
  co_return file;
}

std::shared_ptr<OpenFile> Engine::open_of(const Key& key) {
  if (!ready) return nullptr;
  const auto now = mountpath_of(key).index().peek(key.bucket, key.key());
  if (!now || !*now || (*now)->kind != IndexRecord::Kind::kObject) return nullptr;
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

void Engine::drop_replaced(const Key& key, const IndexRecord& old) {
  const std::string dir = dir_of(key.name.bucket);
  files.supersede(old.info.content_version, clock.now() + kSupersededLife);
  if (old.reference && old.reference->is_empty()) return;
  if (old.kind == IndexRecord::Kind::kReference) {
    const Key home = make_key(key.bucket, {key.name.bucket, old.reference->key});
    [[maybe_unused]] const Status gone = disk::unlink_beneath(
        mountpath_of(home).root(), content_path(dir, *old.reference));
    return;
  }
  if (old.complete && surely_without_side(key.key(), old.info)) return;
  remove_side(mountpath_of(key), dir, key.key(), old.info.meta_version);
  if (!is_version_key(key.key())) return;
  remove_side(mountpath_of(key), dir, plain_key(key.key()),
              old.info.meta_version);  // of its time as current
}

Durability level_to_keep(const Mountpath& mountpath, const IndexRecord& base) {
  if (base.reference && base.reference->is_empty()) return Durability::kNone;
  return mountpath.survives_power_loss(base.info.meta_version) ? Durability::kFull : base.level;
}

void set_barriers(Mutation& mutation, Durability level, std::optional<Durability> replaced) {
  const Durability before = std::max(level, replaced.value_or(level));
  mutation.barrier_before = before >= Durability::kData;
  mutation.barrier_after = level == Durability::kFull;
}

}  // namespace aisfs::store
