// SPDX-License-Identifier: MIT
// Store: renames and references.
#include <fcntl.h>

#include "common/base/hash.h"
#include "common/base/text.h"
#include "common/disk/posix.h"
#include "common/model/ino.h"
#include "node/store/attr_change.h"
#include "node/store/conditions.h"
#include "node/store/disk_copies.h"
#include "node/store/rename.h"
#include "node/store/slice_file.h"
#include "node/store/versions.h"

namespace aisfs::store {
namespace {

Error no_such_object(const Key& key) {
  return Error(Errc::not_found, "object \"" + key.display() + "\" does not exist");
}

/// What a file has after a rename.
void take_attrs(ObjectInfo& info, const std::optional<PosixAttrs>& posix, std::int64_t now_ns) {
  if (posix) info.posix = posix;
  if (info.posix) info.posix->ctime_ns = now_ns;
}

/// A file goes from one name to another on its mountpath. The intent is the point of no return:
/// recovery finishes what it finds begun.
class RenameMutation final : public Mutation {
 public:
  RenameMutation(Engine& e, const Key& f, const Key& t)
      : engine(e), mp(e.mountpath_of(f)), from(f), to(t) {}

  Status stage() override {
    const std::string dir = dir_of(from.name.bucket);
    TRY(fd, disk::open_beneath(mp.root(), path_of(dir, from.key(), source.escaped), O_RDONLY));
    TRY(meta, read_meta(mp, dir, fd.get()));
    intent = {.op_id = to_hex(as_bytes(random_bytes(16))),
              .state = RenameIntentRecord::State::kCommitted,
              .bucket = from.bucket,
              .source = from.key(),
              .destination = to.key(),
              .source_version = meta.info.content_version,
              .source_meta_version = meta.info.meta_version,
              .destination_version = version};
    told_key = std::exchange(meta.key, to.key());
    meta.info.meta_version = version;
    stamp_version(meta.info, versioning, version);
    meta.level = std::max(meta.level, level);
    take_attrs(meta.info, posix, engine.clock.unix_ns());
    TRY(xattr, write_side(mp, dir, meta));
    TRY(effect, mp.announce(LogType::kRenameIntent, intent));
    return {};
  }

  Status publish() override {
    const std::string dir = dir_of(from.name.bucket);
    const std::string old_path = path_of(dir, from.key(), source.escaped);
    std::optional<bool> there;
    if (base && base->kind == IndexRecord::Kind::kObject) there = base->escaped;
    CHECK_OK(disk::set_xattr(fd.get(), kMetaXattr, xattr));
    TRY(const auto path, place(mp, dir, to.key(), there, old_path));
    const TombstoneRecord gone{from.bucket, from.key(), version};
    TRY(const auto effect_of_gone, mp.announce(LogType::kTombstone, gone));
    intent.state = RenameIntentRecord::State::kDone;
    TRY(const auto effect_of_done, mp.announce(LogType::kRenameIntent, intent));
    mp.index().put(to.bucket, to.key(), index_record_of(meta, path.escaped));
    mp.index().put(from.bucket, from.key(), tombstone_of(version));
    if (base && !base_is_kept) engine.drop_replaced(mp, to, *base);
    remove_side(mp, dir, told_key, source.info.meta_version);
    disk::prune_empty_parents(mp.root(), old_path, layout::objects_dir(dir));
    effect.settle();
    return {};
  }

  Engine& engine;
  Mountpath& mp;
  const Key& from;
  const Key& to;
  IndexRecord source;
  std::optional<IndexRecord> base;  // what is at the destination
  Version version;
  Durability level{};
  Versioning versioning = Versioning::kOff;  // the id that it gets
  bool base_is_kept = false;
  std::optional<PosixAttrs> posix;  // RenameOptions'
  StoredMeta meta;                  // the new one, after stage()

 private:
  UniqueFd fd;
  std::string told_key;  // by the file: of a kept version its first name
  std::string xattr;
  RenameIntentRecord intent;
  Mountpath::Effect effect;
};

/// An object's file gets a second name that only references know.
Status link_content(Mountpath& mp, const Key& key, const IndexRecord& source) {
  const std::string dir = dir_of(key.name.bucket);
  const std::string to = content_path(dir, {key.key(), source.info.content_version});
  CHECK_OK(disk::make_parent_dirs(mp.root(), to));
  Status st = disk::link_beneath(mp.root(), path_of(dir, key.key(), source.escaped), to);
  if (!st && st.error().code() != Errc::already_exists) return st;
  return {};
}

class LinkContent final : public Mutation {
 public:
  LinkContent(Engine& e, const Key& k, const IndexRecord& s)
      : mp(e.mountpath_of(k)), key(k), source(s) {}

  Status stage() override {
    CHECK_OK(link_content(mp, key, source));
    if (!intent) return {};
    TRY(effect, mp.announce(LogType::kRenameIntent, *intent));
    return {};
  }
  Status publish() override { return {}; }

  Mountpath& mp;
  const Key& key;
  const IndexRecord& source;
  std::optional<RenameIntentRecord> intent;
  Mountpath::Effect effect;  // settles when the whole rename has happened
};

/// Where it takes the place of a file, it is in the log before the first barrier: the file may be
/// gone after power loss as soon as it was unlinked.
class ReferenceMutation final : public Mutation {
 public:
  ReferenceMutation(Engine& e, const Key& k, Mountpath& m) : engine(e), mp(m), key(k) {}
  ReferenceMutation(Engine& e, const Key& k) : ReferenceMutation(e, k, e.mountpath_of(k)) {}

  Status stage() override {
    CHECK_OK(mp.know_bucket(key.bucket, key.name.bucket));
    return has_file() ? announce() : Status();
  }

  Status publish() override {
    if (!has_file()) CHECK_OK(announce());
    Status done = take_effect();
    effect.settle();
    return done;
  }

  bool has_file() const { return base && base->kind == IndexRecord::Kind::kObject; }

  Status announce() {
    const EncodedMeta encoded = encode_meta(meta);
    const ReferenceRecord record{encoded.xattr, encoded.side};
    TRY(effect, mp.announce(LogType::kReference, record));
    return {};
  }

  Status take_effect() {
    mp.index().put(key.bucket, key.key(), index_record_of(meta, false));
    if (!base) return {};
    if (has_file()) {
      const std::string dir = dir_of(key.name.bucket);
      const std::string path = path_of(dir, key.key(), base->escaped);
      [[maybe_unused]] const Status gone = disk::unlink_beneath(mp.root(), path);
    }
    const bool same_content = base->info.content_version == meta.info.content_version;
    if (!same_content && !base_is_kept) engine.drop_replaced(mp, key, *base);
    return {};
  }

  Engine& engine;
  Mountpath& mp;
  const Key& key;
  StoredMeta meta;
  std::optional<IndexRecord> base;
  bool base_is_kept = false;
  Mountpath::Effect effect;
};

/// The name goes; its content stays for the reference.
class ForgetName final : public Mutation {
 public:
  ForgetName(Engine& e, const Key& k, const IndexRecord& s, Version v)
      : mp(e.mountpath_of(k)), key(k), source(s), version(v) {}

  Status publish() override { return forget_name(mp, key, source, version); }

 private:
  Mountpath& mp;
  const Key& key;
  const IndexRecord& source;
  const Version version;
};

/// What a change over `base` must not fall below, if there is anything.
std::optional<Durability> kept_of(const Mountpath& mp, const std::optional<IndexRecord>& base) {
  return base ? std::optional(level_to_keep(mp, *base)) : std::nullopt;
}

StoredMeta reference_meta(const Key& key, ObjectInfo info, Reference content, Durability level) {
  return {.bucket = key.bucket,
          .key = key.key(),
          .info = std::move(info),
          .level = level,
          .reference = std::move(content)};
}

}  // namespace

Status forget_name(Mountpath& mp, const Key& key, const IndexRecord& source, Version version) {
  const TombstoneRecord record{key.bucket, key.key(), version};
  TRY(const auto effect, mp.announce(LogType::kTombstone, record));
  if (source.kind == IndexRecord::Kind::kObject) {
    const std::string dir = dir_of(key.name.bucket);
    const std::string path = path_of(dir, key.key(), source.escaped);
    Status gone = disk::unlink_beneath(mp.root(), path);
    if (!gone && gone.error().code() != Errc::not_found) return gone;
    disk::prune_empty_parents(mp.root(), path, layout::objects_dir(dir));
  }
  mp.index().put(key.bucket, key.key(), tombstone_of(version));
  return {};
}

Task<Result<ObjectInfo>> Renamer::run() {
  CO_TRY(auto source, co_await engine.find_whole(from));
  if (!source) co_return no_such_object(from);
  CO_CHECK_OK(check_whole(source->reference, from.display()));  // its slices are this name's alone
  CO_TRY(auto base, engine.find(to));
  Conditions there = options.destination_conditions;
  there.must_not_exist |= options.no_replace;
  CO_CHECK_OK(check_conditions(options.source_conditions, &source->info, Access::kWrite));
  CO_CHECK_OK(check_conditions(there, base ? &base->info : nullptr, Access::kWrite));
  CO_TRY(const Version version, engine.versions.next());
  CO_TRY(base_is_kept, co_await keep_version(engine, to, base));
  const bool one_mountpath = &engine.mountpath_of(from) == &engine.mountpath_of(to);
  if (one_mountpath && source->kind == IndexRecord::Kind::kObject) {
    co_return co_await in_place(std::move(*source), std::move(base), version);
  }
  co_return co_await by_reference(std::move(*source), std::move(base), version);
}

Task<Result<ObjectInfo>> Renamer::in_place(IndexRecord source,
                                           std::optional<IndexRecord> base,
                                           Version version) {
  RenameMutation rename(engine, from, to);
  rename.source = std::move(source);
  rename.base = std::move(base);
  rename.version = version;
  rename.level = level;
  rename.base_is_kept = base_is_kept;
  rename.posix = options.posix;
  rename.versioning = id_of_renamed();
  // The source may have been closed without a sync: over something durable it goes with one.
  std::optional<Durability> replaced;
  if (rename.base) replaced = level_to_keep(rename.mp, *rename.base);
  set_barriers(rename, level, replaced);
  // A name that an intent may have to restore is not the one that moves.
  rename.barrier_before |= rename.mp.intents().holds(rename.source.info.content_version);
  rename.flush_soon = level < Durability::kFull;
  // No other disk has the one name's end without the other's beginning.
  rename.barrier_after |= engine.mounts.now().keeps_copies(to.bucket);
  CO_CHECK_OK(co_await rename.mp.committer().run(rename));
  CO_CHECK_OK(co_await drop_null_versions(engine, to, level));
  co_return std::move(rename.meta.info);
}

/// A name that only moves keeps its version; over another version it is a new one.
Versioning Renamer::id_of_renamed() const {
  return options.no_replace ? Versioning::kOff : to.versioning;
}

/// The content gets a name of its own, the destination refers to it (from then on the rename has
/// happened), the source goes. A crash between the last two is finished by recovery.
Task<Result<ObjectInfo>> Renamer::by_reference(IndexRecord source,
                                               std::optional<IndexRecord> base,
                                               Version version) {
  Reference content{from.key(), source.info.content_version};
  if (source.reference) content = *source.reference;
  LinkContent link(engine, from, source);
  if (source.kind == IndexRecord::Kind::kObject) {
    link.intent = RenameIntentRecord{.op_id = to_hex(as_bytes(random_bytes(16))),
                                     .state = RenameIntentRecord::State::kPrepared,
                                     .bucket = from.bucket,
                                     .source = from.key(),
                                     .destination = to.key(),
                                     .source_version = source.info.content_version,
                                     .source_meta_version = source.info.meta_version,
                                     .destination_version = version};
    set_barriers(link, level, Durability::kData);  // the reference is durable: so is what it means
    CO_CHECK_OK(co_await link.mp.committer().run(link));
  }
  ReferenceMutation reference(engine, to);
  ObjectInfo info = source.info;
  info.meta_version = version;
  stamp_version(info, id_of_renamed(), version);
  take_attrs(info, options.posix, engine.clock.unix_ns());
  reference.meta = reference_meta(to, info, content, std::max(level, source.level));
  reference.base = std::move(base);
  reference.base_is_kept = base_is_kept;
  // The old name's mountpath may be synced before this one.
  reference.barrier_after = !content.is_empty();
  reference.barrier_before = kept_of(reference.mp, reference.base) >= Durability::kData;
  Status done = co_await reference.mp.committer().run(reference);
  ForgetName forget(engine, from, source, version);
  forget.barrier_after = level == Durability::kFull || engine.mounts.now().keeps_copies(to.bucket);
  if (done) done = co_await engine.mountpath_of(from).committer().run(forget);
  // The disk that has failed may have had it before.
  if (!done && link.intent) engine.doubt_rename(*link.intent);
  CO_CHECK_OK(std::move(done));
  CO_CHECK_OK(co_await drop_null_versions(engine, to, level));
  co_return info;
}

/// It happened when the destination refers to the content, or has the source's inode and the
/// rename's version or a later one; then the source must be gone. Else it did not happen, and the
/// content's second name goes.
Result<bool> finish_rename(Engine& engine, const RenameIntentRecord& intent) {
  const auto bucket = engine.name_of(intent.bucket);
  if (!bucket) return true;
  const Key from = make_key(intent.bucket, {*bucket, intent.source});
  const Key to = make_key(intent.bucket, {*bucket, intent.destination});
  TRY(const Engine::Found destination, engine.find_anywhere(to));
  TRY(const Engine::Found source, engine.find_anywhere(from));
  const auto& there = destination.record;
  const auto& left = source.record;
  if (!engine.check_known(to, there) || !engine.check_known(from, left)) return false;
  // Nobody was told of its end: a disk that has gone may have it alone.
  if (!there && engine.mounts.now().lack_of(BucketId{}, to.digest) != nullptr) return false;
  // Or an older form of it, which a power loss has brought back.
  const bool source_is_left =
      left && left->visible() && left->info.meta_version <= intent.source_meta_version;
  if (!source_is_left) return true;
  const auto held = engine.mounts.hold(*source.mountpath);
  if (!held) return false;
  const bool refers =
      there && there->reference && there->reference->content_version == intent.source_version;
  const bool is_same = there && there->visible() && there->info.ino == left->info.ino &&
                       there->info.meta_version >= intent.destination_version;
  if (refers || is_same) {
    CHECK_OK(forget_name(*held, from, *left, intent.destination_version));
    return true;
  }
  const Reference content{intent.source, intent.source_version};
  const Status gone = disk::unlink_beneath(held->root(), content_path(dir_of(*bucket), content));
  if (!gone && gone.error() != Errc::not_found) return gone.error();
  return true;
}

Task<void> settle_renames(Engine& engine) {
  for (RenameIntentRecord& intent : engine.take_doubted_renames()) {
    const auto bucket = engine.name_of(intent.bucket);
    if (!bucket) continue;  // it is gone
    const Key from = make_key(intent.bucket, {*bucket, intent.source});
    const Key to = make_key(intent.bucket, {*bucket, intent.destination});
    const auto guards = co_await engine.lock_both(from, to);
    auto finish = [&] { return finish_rename(engine, intent); };
    const auto known = guards ? co_await engine.chores.run(std::move(finish)) : Result<bool>(false);
    if (!known || !*known) engine.doubt_rename(std::move(intent));
    // That the source is gone all its disks know; else the resilver, which is under way, sees to
    // it.
    if (known && *known) (void)co_await level_copies(engine, from, Version());
  }
}

Task<Result<ObjectInfo>> Store::rename_local(Key from,
                                             Key to,
                                             RenameOptions options,
                                             Durability level) {
  if (from.name == to.name) {
    Conditions conditions = options.source_conditions;
    co_return co_await head(from, std::move(conditions));
  }
  CO_TRY(const auto guards, co_await engine_->lock_both(from, to));
  Renamer renamer{*engine_, from, to, options, level};
  co_return co_await renamer.run();
}

Task<Result<Reference>> Store::detach_content(Key key, Conditions conditions, Durability level) {
  CO_TRY(const auto guard, co_await engine_->lock(key));
  CO_TRY(const auto source, co_await engine_->find_whole(key));
  if (!source) co_return no_such_object(key);
  CO_CHECK_OK(check_whole(source->reference, key.display()));
  CO_CHECK_OK(check_conditions(conditions, &source->info, Access::kWrite));
  if (source->reference && source->reference->is_empty()) co_return *source->reference;
  if (source->reference) {
    co_return Error(Errc::not_ready, key.display() + ": its content is on its way here");
  }
  LinkContent link(*engine_, key, *source);
  // The reference elsewhere may be durable any time: so is what it means.
  set_barriers(link, level, Durability::kData);
  CO_CHECK_OK(co_await link.mp.committer().run(link));
  co_return Reference{key.key(), source->info.content_version};
}

Task<Status> publish_reference(Engine& engine,
                               Mountpath& at,
                               const Key& key,
                               StoredMeta meta,
                               std::optional<IndexRecord> base,
                               Durability level) {
  ReferenceMutation reference(engine, key, at);
  reference.meta = std::move(meta);
  set_barriers(reference, level, kept_of(reference.mp, base));
  reference.base = std::move(base);
  co_return co_await reference.mp.committer().run(reference);
}

Task<Result<bool>> Store::adopt_reference(Key key, StoredMeta meta) {
  key.versioning = Versioning::kOff;
  CO_TRY(const auto guard, co_await engine_->lock(key));
  Mountpath& place = engine_->mountpath_of(key);
  CO_TRY(auto base, place.index().get(key.bucket, key.key()));
  const Version version = meta.info.meta_version;
  if (base && base->info.meta_version >= version) {
    CO_CHECK_OK(co_await level_copies(*engine_, key, version));
    co_return false;
  }
  if (base && !base->visible()) base.reset();
  const Durability level = meta.level;
  CO_CHECK_OK(
      co_await publish_reference(*engine_, place, key, std::move(meta), std::move(base), level));
  CO_CHECK_OK(co_await level_copies(*engine_, key, version));
  co_return true;
}

Task<Result<ObjectInfo>> Store::put_reference(
    Key key, Reference content, ObjectInfo info, Conditions conditions, Durability level) {
  CO_TRY(const auto guard, co_await engine_->lock(key));
  CO_TRY(auto base, engine_->newest(key));
  CO_CHECK_OK(engine_->check_known(key, base));
  if (base && base->info.meta_version >= info.meta_version) {
    co_return Error(Errc::precondition_failed, key.display() + ": there is something newer");
  }
  if (base && !base->visible()) base.reset();
  CO_CHECK_OK(check_conditions(conditions, base ? &base->info : nullptr, Access::kWrite));
  ReferenceMutation reference(*engine_, key);
  CO_TRY(reference.base_is_kept, co_await keep_version(*engine_, key, base));
  stamp_version(info, key.versioning, info.meta_version);
  reference.meta = reference_meta(key, info, std::move(content), level);
  set_barriers(reference, level, kept_of(reference.mp, base));
  reference.base = std::move(base);
  CO_CHECK_OK(co_await reference.mp.committer().run(reference));
  CO_CHECK_OK(co_await drop_null_versions(*engine_, key, level));
  co_return info;
}

Task<Result<ObjectInfo>> Store::reserve(Key key, PutOptions options) {
  CO_TRY(const auto guard, co_await engine_->lock(key));
  CO_TRY(const auto base, engine_->find(key));
  options.conditions.must_not_exist = true;
  CO_CHECK_OK(check_conditions(options.conditions, base ? &base->info : nullptr, Access::kWrite));
  CO_TRY(const Version version, engine_->versions.next());
  ObjectInfo info = info_of_put(options, nullptr);
  info.ino = options.ino.value_or(new_ino());
  info.content_version = info.meta_version = version;
  info.modified_ns = engine_->clock.unix_ns();
  ReferenceMutation reference(*engine_, key);
  reference.meta = reference_meta(key, info, Reference{"", version}, Durability::kNone);
  reference.flush_soon = true;
  CO_CHECK_OK(co_await reference.mp.committer().run(reference));
  co_return info;
}

Result<std::optional<Reference>> Store::resolve(const Key& key) {
  if (!engine_->ready) return Error(Errc::not_ready, "the target recovers its disks");
  // Asked before every GET, and nearly every name is a plain object.
  TRY(const auto now, engine_->peek(key));
  const bool plain = now && now->kind == IndexRecord::Kind::kObject;
  if (plain && !engine_->mounts.now().lack_of(key.bucket, key.digest, now->meta_version)) {
    return std::optional<Reference>();
  }
  TRY(auto record, engine_->find(key));
  if (!record) return no_such_object(key);
  return std::move(record->reference);
}

Task<Status> Store::drop_content(BucketId bucket, BucketName name, Reference content) {
  const Key home = make_key(bucket, {name, content.key});
  const auto mp = engine_->hold_place(home);
  auto drop = [&] { return engine_->drop_content(home, content); };
  co_return co_await mp->pool().run(std::move(drop));
}

}  // namespace aisfs::store
