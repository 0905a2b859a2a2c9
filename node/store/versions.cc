// SPDX-License-Identifier: MIT
// Store: versions of names.
#include "node/store/versions.h"

#include <map>

#include "common/disk/posix.h"
#include "common/model/version_key.h"
#include "node/store/conditions.h"
#include "node/store/put.h"
#include "node/store/rename.h"

namespace aisfs::store {
namespace {

constexpr std::size_t kPage = 1000;

Error no_such_version(const Key& version) {
  return Error(Errc::not_found, "object \"" + version.name.bucket.display() + "/" +
                                    std::string(plain_key(version.key())) +
                                    "\" has no such version");
}

/// Another key of the same place; its own changes keep nothing.
Key sibling(const Key& key, std::string_view text) {
  Key other = key;
  other.name.key = text;
  other.versioning = Versioning::kOff;
  return other;
}

/// Gives the current version the name under which it is kept.
class KeepMutation final : public Mutation {
 public:
  KeepMutation(Engine& engine, const Key& key, const IndexRecord& base)
      : mp_(engine.mountpath_of(key)),
        key_(key),
        base_(base),
        kept_(kept_key(key.key(), base.info)) {}

  Status stage() override {
    const std::string dir = dir_of(key_.name.bucket);
    // First, so that a restart looks for the new name.
    const PublishIntentRecord intent{.bucket = key_.bucket,
                                     .key = kept_,
                                     .content_version = base_.info.content_version,
                                     .meta_version = base_.info.meta_version,
                                     .escaped = true};
    TRY(effect_, mp_.announce(LogType::kPublishIntent, intent));
    const std::string to = path_of(dir, kept_, true);
    CHECK_OK(disk::make_parent_dirs(mp_.root(), to));
    Status linked = disk::link_beneath(mp_.root(), path_of(dir, key_.key(), base_.escaped), to);
    // It was kept before, by a change that was not finished.
    if (!linked && linked.error().code() != Errc::already_exists) return linked;
    return {};
  }

  Status publish() override {
    IndexRecord record = base_;
    record.escaped = true;
    mp_.index().put(key_.bucket, kept_, std::move(record));
    effect_.settle();
    return {};
  }

 private:
  Mountpath& mp_;
  const Key& key_;
  const IndexRecord& base_;
  const std::string kept_;
  Mountpath::Effect effect_;
};

/// What is kept of a key, newest first; on all mountpaths while names move.
class Kept {
 public:
  Kept(Engine& engine, const Key& key) : bucket_(key.bucket) {
    const MountpathSet& set = engine.mounts.now();
    if (set.settled) {
      indexes_ = {&set.place_of(key.digest).index()};
    } else {
      for (Mountpath* mountpath : set.readable) indexes_.push_back(&mountpath->index());
    }
    options_.prefix = version_key(plain_key(key.key()), "");
    options_.versions = true;
    options_.limit = kPage;
  }

  /// nullopt at the end.
  Result<std::optional<ScanEntry>> next() {
    while (at_ == page_.size()) {
      if (!more_) return std::optional<ScanEntry>();
      CHECK_OK(load());
    }
    return std::optional(std::move(page_[at_++]));
  }

  /// The first that has not this id.
  Result<std::optional<ScanEntry>> next_but(std::string_view id) {
    for (;;) {
      TRY(auto entry, next());
      if (!entry || id_of(*entry) != id) return entry;
    }
  }

  static std::string_view id_of(const ScanEntry& entry) {
    return version_id_of_suffix(version_suffix(entry.key));
  }

 private:
  /// A page of each mountpath, as far as all of them have told.
  Status load() {
    std::map<std::string, ScanEntry> all;
    std::optional<std::string> end;
    more_ = false;
    for (const Index* index : indexes_) {
      TRY(ScanPage page, index->scan(bucket_, options_));
      if (page.more && (!end || page.next < *end)) end = page.next;
      more_ = more_ || page.more;
      for (ScanEntry& entry : page.entries) {
        const std::string key = entry.key;
        const auto known = all.find(key);
        if (known != all.end() && is_older(entry, known->second)) continue;
        all.insert_or_assign(key, std::move(entry));
      }
    }
    page_.clear();
    at_ = 0;
    for (auto& [key, entry] : all) {
      if (!end || key <= *end) page_.push_back(std::move(entry));
    }
    if (end) options_.after = *end;
    return {};
  }

  static bool is_older(const ScanEntry& a, const ScanEntry& b) {
    return a.record.info.meta_version <= b.record.info.meta_version;
  }

  std::vector<const Index*> indexes_;
  const BucketId bucket_;
  ScanOptions options_;
  std::vector<ScanEntry> page_;
  std::size_t at_ = 0;
  bool more_ = true;
};

/// The kept version becomes the current one, instead of what is there, in one step.
Task<Status> promote(Engine& engine, Key plain, ScanEntry kept, Durability level) {
  const Key from = sibling(plain, kept.key);
  const RenameOptions options;
  Renamer renamer{engine, from, plain, options, level};
  CO_TRY(const ObjectInfo done, co_await renamer.run());
  static_cast<void>(done);
  co_return Status{};
}

bool can_be_current(const std::optional<ScanEntry>& kept) {
  return kept && !is_delete_marker(kept->record.info);
}

}  // namespace

bool stands_for(const StoredMeta& meta, std::string_view key) {
  return meta.key == key || (is_version_key(key) && kept_key(meta.key, meta.info) == key);
}

void stamp_version(ObjectInfo& info, Versioning versioning, Version version) {
  if (versioning == Versioning::kOff) return;
  info.headers.erase(std::string(kVersionIdHeader));
  if (versioning == Versioning::kSuspended) return;
  info.headers[std::string(kVersionIdHeader)] = new_version_id(version);
}

Task<Result<bool>> keep_version(Engine& engine, Key key, std::optional<IndexRecord> base) {
  if (key.versioning == Versioning::kOff || !base) co_return false;
  if (base->reference) {
    if (base->reference->is_empty()) co_return false;
    co_return Error(Errc::not_ready, key.display() + ": its content is on its way");
  }
  const bool replaced =
      key.versioning == Versioning::kSuspended && version_id(base->info) == kNullVersion;
  if (replaced) co_return false;
  KeepMutation keep(engine, key, *base);
  CO_CHECK_OK(co_await engine.mountpath_of(key).committer().run(keep));
  co_return true;
}

Task<Status> drop_null_versions(Engine& engine, Key key, Durability level, std::string but) {
  if (key.versioning != Versioning::kSuspended) co_return Status{};
  Kept all(engine, key);
  for (;;) {
    CO_TRY(auto kept, all.next());
    if (!kept) co_return Status{};
    if (Kept::id_of(*kept) != kNullVersion || kept->key == but) continue;
    Key old = sibling(key, kept->key);
    CO_CHECK_OK(co_await remove_locked(engine, std::move(old), std::move(kept->record), level,
                                       RemovedContent::kDrop));
  }
}

Result<Store::FoundVersion> Store::find_version(const Key& version) {
  const std::string_view id = version_id_of_suffix(version_suffix(version.key()));
  const Key plain = sibling(version, plain_key(version.key()));
  // Twice, because it may become the current one, or be replaced, between the two looks.
  for (int round = 0; round < 2; ++round) {
    TRY(const auto current, engine_->find(plain));
    if (current && version_id(current->info) == id) {
      return FoundVersion{plain, current->info.content_version};
    }
    if (id != kNullVersion) {
      const Key kept = sibling(version, version_key(plain.key(), id));
      TRY(const auto there, engine_->find(kept));
      if (there) return FoundVersion{kept, there->info.content_version};
      continue;
    }
    Kept all(*engine_, plain);
    for (;;) {
      TRY(const auto kept, all.next());
      if (!kept) break;
      if (Kept::id_of(*kept) != id) continue;
      return FoundVersion{sibling(version, kept->key), kept->record.info.content_version};
    }
  }
  return no_such_version(version);
}

Result<bool> Store::has_kept_versions(const Key& key) {
  if (!engine_->ready) return Error(Errc::not_ready, "the target recovers its disks");
  Kept all(*engine_, key);
  TRY(const auto first, all.next());
  return first.has_value();
}

Task<Result<ObjectInfo>> Store::put_delete_marker(Key key,
                                                  Conditions conditions,
                                                  Durability level) {
  CO_TRY(const auto guard, co_await engine_->lock(key));
  CO_TRY(const auto base, engine_->find(key));
  if (base && is_too_new(conditions, base->info.meta_version)) {
    co_return may_have_happened(key.display());
  }
  if (!base && conditions.unless_newer) {
    Kept all(*engine_, key);
    CO_TRY(auto newest, all.next());
    const bool made = newest && is_delete_marker(newest->record.info) &&
                      is_too_new(conditions, newest->record.info.meta_version);
    if (made) co_return std::move(newest->record.info);
  }
  CO_CHECK_OK(check_conditions(conditions, base ? &base->info : nullptr, Access::kWrite));
  CO_TRY(const bool kept, co_await keep_version(*engine_, key, base));
  ObjectInfo marker;
  CO_TRY(marker.content_version, engine_->versions.next());
  stamp_version(marker, key.versioning, marker.content_version);
  marker.headers[std::string(kDeleteMarkerHeader)] = "true";
  const Key top = sibling(key, kept_key(key.key(), marker));
  // The removal's barrier is the marker's too.
  PutOptions put{.level = base ? Durability::kNone : level, .headers = marker.headers};
  const ExpectedChecksums none;
  Body body(false, none);
  const std::optional<IndexRecord> nothing;
  CO_TRY(ObjectInfo done, co_await publish_over(*engine_, top, put, body, 0, nothing));
  if (base) {
    CO_CHECK_OK(co_await remove_locked(*engine_, key, *base, level,
                                       kept ? RemovedContent::kKeep : RemovedContent::kDrop));
  }
  CO_CHECK_OK(co_await drop_null_versions(*engine_, key, level, top.key()));
  co_return done;
}

Task<Status> Store::remove_version(Key version, Conditions conditions, Durability level) {
  CO_TRY(const auto guard, co_await engine_->lock(version));
  CO_TRY(const FoundVersion found, find_version(version));
  const Key plain = sibling(version, plain_key(version.key()));
  CO_TRY(const auto current, engine_->find(plain));
  CO_TRY(const auto there, engine_->find(found.key));
  if (!there) co_return no_such_version(version);
  CO_CHECK_OK(check_conditions(conditions, &there->info, Access::kWrite));
  const std::string id = version_id(there->info);
  if (found.key.key() != plain.key()) {
    // Before what hides it goes: a crash in between leaves one that is removed again.
    Kept all(*engine_, plain);
    CO_TRY(const auto newest, all.next());
    if (!current && newest && newest->key == found.key.key()) {
      CO_TRY(auto next, all.next_but(id));
      if (can_be_current(next)) {
        CO_CHECK_OK(co_await promote(*engine_, plain, *std::move(next), level));
      }
    }
    co_return co_await remove_locked(*engine_, found.key, *there, level, RemovedContent::kDrop);
  }
  // A second name that an unfinished change has left goes first.
  const Key again = sibling(plain, kept_key(plain.key(), there->info));
  CO_TRY(const auto twice, engine_->find(again));
  if (twice) {
    CO_CHECK_OK(co_await remove_locked(*engine_, again, *twice, level, RemovedContent::kKeep));
  }
  Kept all(*engine_, plain);
  CO_TRY(auto next, all.next_but(id));
  if (can_be_current(next)) {
    co_return co_await promote(*engine_, plain, *std::move(next), level);
  }
  co_return co_await remove_locked(*engine_, plain, *there, level, RemovedContent::kDrop);
}

}  // namespace aisfs::store
