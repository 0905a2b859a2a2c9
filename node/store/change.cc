// SPDX-License-Identifier: MIT
// Store: changes that leave the content alone: attributes, deletes.
#include <fcntl.h>

#include "common/disk/posix.h"
#include "common/model/version_key.h"
#include "node/store/attr_change.h"
#include "node/store/conditions.h"
#include "node/store/disk_copies.h"
#include "node/store/forget.h"
#include "node/store/layout.h"
#include "node/store/resilver.h"
#include "node/store/versions.h"

namespace aisfs::store {
namespace {

/// The attributes of the object that is there. An xattr is replaced as a whole or not at all, so
/// this one change happens in place.
class AttrMutation final : public Mutation {
 public:
  AttrMutation(Engine& e, Mountpath& m, const Key& k, const IndexRecord& b)
      : engine(e), mp(m), key(k), dir(dir_of(k.name.bucket)), base(b) {}

  Status stage() override {
    if (base.kind == IndexRecord::Kind::kReference) return {};
    CHECK_OK(open());
    const bool had_side = !encode_meta(meta).side.empty();
    told_key = std::exchange(meta.key, key.key());
    meta.info = info;
    TRY(xattr, write_side(mp, dir, meta));
    // The xattr alone is replaced as a whole; a file beside it is there before the xattr says so.
    const bool has_side = !encode_meta(meta).side.empty();
    barrier_before = (had_side || has_side) && std::max(level, base.level) >= Durability::kData;
    return {};
  }

  Status publish() override {
    if (base.kind == IndexRecord::Kind::kReference) return publish_reference();
    const PublishIntentRecord intent{.bucket = key.bucket,
                                     .key = key.key(),
                                     .content_version = info.content_version,
                                     .meta_version = info.meta_version,
                                     .escaped = base.escaped};
    TRY(const auto effect, mp.announce(LogType::kPublishIntent, intent));
    CHECK_OK(disk::set_xattr(fd.get(), kMetaXattr, xattr));
    mp.index().put(key.bucket, key.key(), index_record_of(meta, base.escaped));
    remove_side(mp, dir, told_key, base.info.meta_version);
    return {};
  }

  Engine& engine;
  Mountpath& mp;
  const Key& key;
  const std::string dir;
  const IndexRecord& base;
  ObjectInfo info;  // the new one
  Durability level{};

 private:
  Status publish_reference() {
    meta = {.bucket = key.bucket,
            .key = key.key(),
            .info = info,
            .level = base.level,
            .reference = base.reference};
    const EncodedMeta encoded = encode_meta(meta);
    const ReferenceRecord record{encoded.xattr, encoded.side};
    TRY(const auto effect, mp.announce(LogType::kReference, record));
    mp.index().put(key.bucket, key.key(), index_record_of(meta, false));
    return {};
  }

  /// The name is there, so is its file, or it is damaged.
  Status open() {
    auto opened = disk::open_beneath(mp.root(), path_of(dir, key.key(), base.escaped), O_RDONLY);
    auto read = opened ? read_meta(mp, dir, opened->get()) : opened.error();
    if (!read && (read.error() == Errc::not_found || read.error() == Errc::no_attribute)) {
      return Error(Errc::corrupt, "the file of " + key.display() + " is gone, or its metadata");
    }
    TRY(meta, std::move(read));
    fd = *std::move(opened);
    return {};
  }

  UniqueFd fd;
  StoredMeta meta;
  std::string told_key;  // by the file: of a kept version its first name
  std::string xattr;
};

/// The tombstone counts as soon as it is in the log, and durable as soon as it is in the intent log
/// too: before the file goes, if the level asks for it, so no file comes back.
class RemoveMutation final : public Mutation {
 public:
  RemoveMutation(Engine& e, Mountpath& m, const Key& k, const IndexRecord& b, Version v)
      : engine(e), mp(m), key(k), base(b), version(v) {}

  Engine& engine;
  Mountpath& mp;
  RemovedContent content = RemovedContent::kDrop;

  Status stage() override {
    // It may be all that is here of the bucket, and has to be found by walks.
    CHECK_OK(mp.know_bucket(key.bucket, key.name.bucket));
    const TombstoneRecord record{key.bucket, key.key(), version};
    const std::string payload = wire::encode(record);
    TRY(effect, mp.announce(LogType::kTombstone, std::string_view(payload)));
    // What is kept of a version has its second name by a link, which the files' barrier makes
    // durable.
    const bool keeps = key.versioning != Versioning::kOff || is_version_key(key.key());
    if (!barrier_before || keeps) return {};
    TRY(intent, mp.intents().append(LogType::kTombstone, payload, {}, version));
    if (intent.valid() && mp.is_durable(base.info)) barrier = Barrier::kIntents;
    return {};
  }

  Status publish() override {
    const std::string dir = dir_of(key.name.bucket);
    if (base.kind == IndexRecord::Kind::kObject) {
      const std::string path = path_of(dir, key.key(), base.escaped);
      Status gone = disk::unlink_beneath(mp.root(), path);
      if (!gone && gone.error().code() != Errc::not_found) return gone;
      disk::prune_empty_parents(mp.root(), path, layout::objects_dir(dir));
    }
    mp.index().put(key.bucket, key.key(), tombstone_of(version));
    if (content == RemovedContent::kDrop) engine.drop_replaced(mp, key, base);
    effect.settle();
    if (intent.valid()) mp.settle(std::move(intent));
    return {};
  }

 private:
  const Key& key;
  const IndexRecord& base;
  const Version version;
  IntentLog::Ticket intent;
  Mountpath::Effect effect;
};

/// Which version it is is nobody's to change.
void keep_version_headers(const ObjectInfo& old, ObjectInfo& now) {
  for (const std::string_view name : {kVersionIdHeader, kDeleteMarkerHeader}) {
    now.headers.erase(std::string(name));
    const auto it = old.headers.find(std::string(name));
    if (it != old.headers.end()) now.headers.insert(*it);
  }
}

/// Of a change of attributes that is too late: what is there, if it would stay as it is.
Result<ObjectInfo> repeated_change(const Key& key,
                                   const IndexRecord& base,
                                   const AttrChange& change) {
  const std::int64_t ctime_ns = base.info.posix ? base.info.posix->ctime_ns : 0;
  TRY(ObjectInfo made, apply_change(base.info, change, ctime_ns));
  keep_version_headers(base.info, made);
  if (made != base.info) return may_have_happened(key.display());
  return made;
}

}  // namespace

Task<Result<ObjectInfo>> Store::set_attrs(Key key,
                                          AttrChange change,
                                          Conditions conditions,
                                          Durability level) {
  CO_TRY(const auto guard, co_await engine_->lock(key));
  CO_TRY(const auto base, co_await engine_->find_whole(key));
  if (!base) co_return Error(Errc::not_found, "object \"" + key.display() + "\" does not exist");
  if (is_too_new(conditions, base->info.meta_version))
    co_return repeated_change(key, *base, change);
  CO_CHECK_OK(check_conditions(conditions, &base->info, Access::kWrite));
  AttrMutation mutation(*engine_, engine_->mountpath_of(key), key, *base);
  CO_TRY(mutation.info, apply_change(base->info, change, engine_->clock.unix_ns()));
  CO_TRY(mutation.info.meta_version, engine_->versions.next());
  keep_version_headers(base->info, mutation.info);
  mutation.level = level;
  mutation.barrier_after = level == Durability::kFull;
  if (mutation.barrier_after) engine_->promise_all();  // its content with it
  CO_CHECK_OK(co_await mutation.mp.committer().run(mutation));
  co_return std::move(mutation.info);
}

Task<Status> Store::remove(Key key,
                           RemoveOptions options,
                           Durability level,
                           RemovedContent content) {
  // A removal is possible where there is no room to move what is removed.
  const bool in_place = key.versioning == Versioning::kOff && !is_version_key(key.key());
  CO_TRY(const auto guard, co_await engine_->lock_to_remove(key, in_place));
  CO_TRY(auto base, engine_->newest(key));
  if (Status known = engine_->check_known(key, base); !known) {
    const bool was_there = !base && engine_->is_lost(key);
    if ((!options.missing_ok && !was_there) || options.conditions.any()) co_return known;
    IndexRecord there = base ? *std::move(base) : tombstone_of({});
    co_return co_await remove_locked(*engine_, std::move(key), std::move(there), level, content);
  }
  if (base && !base->visible()) base.reset();
  if (base && is_too_new(options.conditions, base->info.meta_version)) {
    co_return may_have_happened(key.display());
  }
  CO_CHECK_OK(check_conditions(options.conditions, base ? &base->info : nullptr, Access::kWrite));
  if (!base) {
    if (options.missing_ok) co_return Status{};
    co_return Error(Errc::not_found, "object \"" + key.display() + "\" does not exist");
  }
  const MountpathSet& set = engine_->mounts.now();
  CO_CHECK_OK(co_await remove_locked(*engine_, key, *base, level, content));
  CO_CHECK_OK(co_await forget_elsewhere(*engine_, key));
  // What was to be forgotten may lie at another place by now, and what was written be out of reach.
  if (engine_->mounts.now().losses == set.losses) co_return Status{};
  co_return may_have_happened(key.display());
}

Task<Status> bury(Engine& engine,
                  Mountpath& at,
                  const Key& key,
                  std::optional<IndexRecord> there,
                  Version version,
                  Durability level) {
  const IndexRecord base = there.value_or(tombstone_of({}));
  RemoveMutation mutation(engine, at, key, base, version);
  mutation.barrier_before = level == Durability::kFull;
  co_return co_await mutation.mp.committer().run(mutation);
}

Task<Result<bool>> Store::adopt_attributes(Key key, ObjectInfo info, Durability level) {
  CO_TRY(const auto guard, co_await engine_->lock(key));
  CO_TRY(const auto base, co_await engine_->find_whole(key));
  if (!base || base->info.content_version != info.content_version) co_return false;
  if (base->kind != IndexRecord::Kind::kObject) co_return false;  // it may be another form
  const Version version = info.meta_version;
  if (base->info.meta_version >= version) {
    CO_CHECK_OK(co_await level_copies(*engine_, key, version));
    co_return true;
  }
  AttrMutation mutation(*engine_, engine_->mountpath_of(key), key, *base);
  mutation.info = std::move(info);
  mutation.level = level;
  mutation.barrier_after = level == Durability::kFull;
  if (mutation.barrier_after) engine_->promise_all();
  CO_CHECK_OK(co_await mutation.mp.committer().run(mutation));
  CO_CHECK_OK(co_await level_copies(*engine_, key, version));
  co_return true;
}

Task<Result<bool>> Store::adopt_tombstone(Key key, Version version, Durability level) {
  key.versioning = Versioning::kOff;
  CO_TRY(const auto guard, co_await engine_->lock(key));
  Mountpath& place = engine_->mountpath_of(key);
  CO_TRY(auto there, place.index().get(key.bucket, key.key()));
  const bool is_older = !there || there->info.meta_version < version;
  if (is_older) {
    CO_CHECK_OK(co_await bury(*engine_, place, key, std::move(there), version, level));
  }
  CO_CHECK_OK(co_await level_copies(*engine_, key, version));
  co_return is_older;
}

Task<Status> Store::forget(Key key, Version meta_version) {
  CO_TRY(const auto guard, co_await engine_->lock(key));
  CO_TRY(const auto there, engine_->find_to_replace(key));
  if (!there || there->info.meta_version != meta_version) co_return Status{};
  CO_CHECK_OK(co_await forget_copies(*engine_, key));
  ForgetMutation mutation(*engine_, engine_->mountpath_of(key), key, *there);
  co_return co_await mutation.mp.committer().run(mutation);
}

Task<Result<bool>> Store::forget_tombstone(Key key, Version version) {
  CO_TRY(const auto guard, co_await engine_->lock(key));
  CO_TRY(const auto there, engine_->newest(key));
  if (!there) co_return true;
  if (there->visible() || there->info.meta_version != version) co_return false;
  CO_CHECK_OK(co_await forget_copies(*engine_, key));
  ForgetMutation mutation(*engine_, engine_->mountpath_of(key), key, *there);
  CO_CHECK_OK(co_await mutation.mp.committer().run(mutation));
  co_return true;
}

Task<Status> copy_attrs(Engine& engine,
                        Key key,
                        IndexRecord record,
                        IndexRecord there,
                        Mountpath& from,
                        Mountpath& to,
                        Durability level) {
  const std::string dir = dir_of(key.name.bucket);
  auto open = [&] { return open_object_file(from, dir, path_of(dir, key.key(), record.escaped)); };
  CO_TRY(const auto file, from.noted(co_await from.pool().run(std::move(open))));
  if (file->meta.info.meta_version != record.info.meta_version) {
    co_return Error(Errc::corrupt, "the file of " + key.display() + " has other attributes");
  }
  AttrMutation mutation(engine, to, key, there);
  mutation.info = file->meta.info;
  mutation.level = level;
  mutation.barrier_after = level == Durability::kFull;
  co_return co_await to.committer().run(mutation);
}

Task<Status> remove_locked(
    Engine& engine, Key key, IndexRecord base, Durability level, RemovedContent content) {
  CO_TRY(const Version version, engine.versions.next());
  RemoveMutation mutation(engine, engine.mountpath_of(key), key, base, version);
  mutation.content = content;
  mutation.barrier_before = level == Durability::kFull;
  co_return co_await mutation.mp.committer().run(mutation);
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
