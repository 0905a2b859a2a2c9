// SPDX-License-Identifier: MIT
#include "node/store/recovery.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <chrono>
#include <map>

#include "common/disk/posix.h"
#include "common/model/version_key.h"
#include "common/obs/log.h"
#include "node/store/disk_health.h"
#include "node/store/file_walk.h"
#include "node/store/layout.h"
#include "node/store/log_records.h"
#include "node/store/object_file.h"
#include "node/store/roll_forward.h"
#include "node/store/unreadable_files.h"
#include "node/store/versions.h"

namespace aisfs::store {
namespace {

/// What the log says of one name.
struct Logged {
  Version tombstone;
  Version arrived;  // by a rename, whose file is here
  std::optional<StoredMeta> reference;
  bool forgotten = false;  // since: what there was went to another target or mountpath
};

/// What the log's records add up to.
struct LogSum {
  std::map<Name, Logged> names;
  std::map<std::string, RenameIntentRecord> renames;  // by op id, the newest state
  std::set<BucketId> destroyed;
};

class Recovery {
 public:
  explicit Recovery(Mountpath& mountpath) : mp_(mountpath), buckets_(mountpath.buckets()) {}

  Result<Recovered> run();

 private:
  Status sum_up(Lsn from);
  Status note(const LogRecord& record);
  Status add_tombstones();
  Status finish_puts();
  Version gone_at(const Name& name) const;
  Status finish_destroys();
  void finish_renames();
  Status finish_rename(const RenameIntentRecord& intent);
  Status settle_names();
  bool lies_at(const std::string& path) const;
  Status settle(const Name& name, const Logged& logged);
  Status rebuild();
  Status drop_forgotten();
  Status take_file(BucketId bucket, const std::string& dir, const std::string& path);
  struct ReadFile {
    StoredMeta meta;
    bool whole = true;  // of the size that it should have
  };
  Result<ReadFile> read_file(BucketId bucket, const std::string& dir, const std::string& path);
  bool is_exchanged(const std::string& dir, const std::string& key, const std::string& other) const;
  void drop_stale(const std::string& dir, const std::string& path, const StoredMeta& meta);
  std::optional<std::string> dir_of_bucket(BucketId id) const;

  Mountpath& mp_;
  const std::map<BucketId, BucketName> buckets_;
  RecoveryReport report_;
  LogSum sum_;
  IntentSum intents_;
  UnreadableFiles unreadable_{mp_};
  std::mutex mutex_;  // of report_ and of decisions on names while files are walked in parallel
};

std::optional<std::string> Recovery::dir_of_bucket(BucketId id) const {
  const auto it = buckets_.find(id);
  if (it == buckets_.end() || sum_.destroyed.contains(id)) return std::nullopt;
  return dir_of(it->second);
}

Result<Recovered> Recovery::run() {
  const auto start = std::chrono::steady_clock::now();
  report_.rebuilt = mp_.index().fresh();
  TRY(intents_, sum_up_intents(mp_.intents()));
  CHECK_OK(add_tombstones());
  const Lsn end = mp_.log().end();
  CHECK_OK(sum_up(report_.rebuilt ? mp_.log().begin() : mp_.index().checkpoint()));
  CHECK_OK(finish_destroys());
  // First the renames: a put that comes back would take the place of a file that was to move.
  finish_renames();
  CHECK_OK(finish_puts());
  TRY(report_.removed_work, remove_files_in(mp_.root(), layout::kWorkDir));
  if (report_.rebuilt) {
    CHECK_OK(rebuild());
  } else {
    CHECK_OK(settle_names());
  }
  if (mp_.intents().exists()) CHECK_OK(mp_.forget_intents());
  CHECK_OK(mp_.index().flush());
  if (report_.rebuilt) CHECK_OK(mp_.index().set_built());
  mp_.index().advance_checkpoint(end);
  report_.objects = mp_.index().counters().objects;
  report_.took = std::chrono::steady_clock::now() - start;
  Recovered recovered{.report = report_};
  for (auto& [op, intent] : sum_.renames) {
    const bool between = intent.state == RenameIntentRecord::State::kPrepared;
    if (between) recovered.renames.push_back(std::move(intent));
  }
  return recovered;
}

Status Recovery::sum_up(Lsn from) {
  auto visit = [this](const LogRecord& record) -> Status {
    ++report_.replayed;
    return note(record);
  };
  return mp_.log().replay(from, visit);
}

Status Recovery::note(const LogRecord& record) {
  switch (record.type) {
    case LogType::kTombstone: {
      TRY(auto r, wire::decode<TombstoneRecord>(record.payload));
      Logged& logged = sum_.names[{r.bucket, std::move(r.key)}];
      logged.tombstone = std::max(logged.tombstone, r.version);
      logged.forgotten = false;
      return {};
    }
    case LogType::kReference: {
      TRY(auto r, wire::decode<ReferenceRecord>(record.payload));
      TRY(auto meta, decode_meta(r.xattr, r.side));
      Logged& logged = sum_.names[{meta.bucket, meta.key}];
      logged.forgotten = false;
      auto& reference = logged.reference;
      if (!reference || reference->info.meta_version < meta.info.meta_version) {
        reference = std::move(meta);
      }
      return {};
    }
    case LogType::kPublishIntent: {
      TRY(auto r, wire::decode<PublishIntentRecord>(record.payload));
      const bool forgets = !r.content_version;
      if (report_.rebuilt && !forgets) return {};  // the walk meets the file anyway
      Logged& logged = sum_.names[{r.bucket, std::move(r.key)}];
      logged.forgotten = forgets;
      if (forgets) logged.reference.reset();
      return {};
    }
    case LogType::kRenameIntent: {
      TRY(auto r, wire::decode<RenameIntentRecord>(record.payload));
      if (!report_.rebuilt) {
        sum_.names[{r.bucket, r.source}];
        sum_.names[{r.bucket, r.destination}];
      }
      std::string op = r.op_id;
      sum_.renames[std::move(op)] = std::move(r);
      return {};
    }
    case LogType::kBucketDestroyed: {
      TRY(const auto r, wire::decode<BucketDestroyedRecord>(record.payload));
      sum_.destroyed.insert(r.bucket);
      mp_.index().erase_bucket(r.bucket);
      return {};
    }
    case LogType::kRenamePrepared:
    case LogType::kDirRename:
      return {};  // its owner rolls it forward
    case LogType::kStagedPut:
    case LogType::kStagedCancelled:
    case LogType::kIntentsBegin:
      return {};  // in %intent only
  }
  return {};
}

/// What was deleted durably is so in the log too, which the rest of recovery and later starts read.
Status Recovery::add_tombstones() {
  Lsn end = 0;
  for (const auto& [name, version] : intents_.tombstones) {
    const TombstoneRecord record{name.first, name.second, version};
    const std::string payload = wire::encode(record);
    end = mp_.log().append(LogType::kTombstone, payload);
  }
  return mp_.log().flush(end);
}

Status Recovery::finish_puts() {
  RollForwardRules rules{.doubt_files = report_.rebuilt};
  rules.dir_of = [this](BucketId id) { return dir_of_bucket(id); };
  rules.gone_at = [this](const Name& name) { return gone_at(name); };
  TRY(report_.rolled_forward, roll_forward(mp_, intents_, rules));
  if (report_.rebuilt) return {};  // the walk meets the files anyway
  for (const auto& staged : intents_.staged) sum_.names[staged.first];
  return {};
}

/// The version that deleted the name, made it a reference or moved something to it.
Version Recovery::gone_at(const Name& name) const {
  Version gone;
  if (const auto logged = sum_.names.find(name); logged != sum_.names.end()) {
    gone = std::max(logged->second.tombstone, logged->second.arrived);
    if (const auto& reference = logged->second.reference) {
      gone = std::max(gone, reference->info.meta_version);
    }
  }
  const auto there = mp_.index().get(name.first, name.second);
  if (there && *there && (*there)->kind != IndexRecord::Kind::kObject) {
    gone = std::max(gone, (*there)->info.meta_version);
  }
  return gone;
}

/// A bucket whose end is in the log and whose folder is still there: a crash cut destroy_bucket.
Status Recovery::finish_destroys() {
  for (const BucketId id : sum_.destroyed) {
    const auto known = buckets_.find(id);
    if (known == buckets_.end()) continue;
    const bool again = std::any_of(buckets_.begin(), buckets_.end(), [&](const auto& other) {
      return other.first != id && other.second == known->second;
    });
    if (!again) {  // else the folder belongs to its successor
      const std::string to = layout::deleted_path(id);
      CHECK_OK(remove_tree(mp_.root(), to));
      Status moved = disk::rename_beneath(mp_.root(), dir_of(known->second), to);
      if (!moved && moved.error().code() != Errc::not_found) return moved;
    }
    CHECK_OK(mp_.forget_bucket(id));
  }
  CHECK_OK(remove_tree(mp_.root(), layout::kDeletedDir));
  return disk::make_dirs(mp_.root(), layout::kDeletedDir);
}

/// Those that are done, too: the log says so as soon as they are, and power loss may take a rename
/// of a file and leave that. In their order, since what was moved may have been moved on.
void Recovery::finish_renames() {
  std::vector<const RenameIntentRecord*> renames;
  for (const auto& [op, intent] : sum_.renames) {
    const bool happened = intent.state == RenameIntentRecord::State::kCommitted ||
                          intent.state == RenameIntentRecord::State::kDone;
    if (happened) renames.push_back(&intent);
  }
  std::sort(renames.begin(), renames.end(), [](const auto* a, const auto* b) {
    return a->destination_version < b->destination_version;
  });
  for (const RenameIntentRecord* intent : renames) {
    if (Status st = finish_rename(*intent); !st) {
      LOG_ERROR("a rename could not be finished", "mountpath", mp_.path(), "from", intent->source,
                "to", intent->destination, "why", st.error().what());
    }
  }
}

/// The rename was acknowledged or about to be: the file that is still at the source goes on.
Status Recovery::finish_rename(const RenameIntentRecord& intent) {
  const auto dir = dir_of_bucket(intent.bucket);
  if (!dir) return {};
  Logged& to = sum_.names[{intent.bucket, intent.destination}];
  bool escaped_there = false;
  const auto there = find_file(mp_, *dir, {intent.bucket, intent.destination}, escaped_there);
  const Version now = there ? there->meta.info.meta_version : Version{};
  if (now == intent.destination_version) to.arrived = now;
  bool moved = false;
  for (const bool escaped : {false, true}) {
    const std::string path = path_of(*dir, intent.source, escaped);
    auto file = open_object_file(mp_, *dir, path);
    if (!file || (*file)->meta.info.content_version != intent.source_version) continue;
    StoredMeta meta = (*file)->meta;
    if (meta.bucket != intent.bucket) continue;
    const bool ours = meta.info.meta_version == intent.source_meta_version ||
                      meta.info.meta_version == intent.destination_version;
    if (!ours || now > intent.destination_version) continue;
    meta.key = intent.destination;
    meta.info.meta_version = intent.destination_version;
    TRY(const std::string xattr, write_side(mp_, *dir, meta));
    CHECK_OK(disk::set_xattr((*file)->fd.get(), kMetaXattr, xattr));
    std::optional<bool> at;
    if (there) at = escaped_there;
    CHECK_OK(place(mp_, *dir, intent.destination, at, path));
    to.arrived = intent.destination_version;
    moved = true;
  }
  if (!moved && intent.state == RenameIntentRecord::State::kDone) return {};
  Version& gone = sum_.names[{intent.bucket, intent.source}].tombstone;
  gone = std::max(gone, intent.destination_version);
  const TombstoneRecord tombstone{intent.bucket, intent.source, intent.destination_version};
  const std::string payload = wire::encode(tombstone);
  return mp_.log().flush(mp_.log().append(LogType::kTombstone, payload));
}

Status Recovery::settle_names() {
  for (const auto& [name, logged] : sum_.names) CHECK_OK(settle(name, logged));
  return unreadable_.lose_names();
}

/// Whether there is any file at all; a folder is what keys below this one have.
bool Recovery::lies_at(const std::string& path) const {
  const auto file = disk::stat_beneath(mp_.root(), path);
  return file ? S_ISREG(file->mode) : is_disk_error(file.error());
}

/// Of file, reference and tombstone the newest counts.
Status Recovery::settle(const Name& name, const Logged& logged) {
  const auto& [bucket, key] = name;
  const auto dir = dir_of_bucket(bucket);
  if (!dir) return {};
  Index& index = mp_.index();
  TRY(const auto there, index.get(bucket, key));
  bool escaped = false;
  const auto file = find_file(mp_, *dir, name, escaped);
  const Version of_file = file ? file->meta.info.meta_version : Version{};
  const Version of_reference = logged.reference ? logged.reference->info.meta_version : Version{};
  Version tombstone = logged.tombstone;
  if (there && there->kind == IndexRecord::Kind::kTombstone) {
    tombstone = std::max(tombstone, there->info.meta_version);
  }
  const bool unreadable = !file && !logged.forgotten &&
                          (lies_at(path_of(*dir, key, false)) || lies_at(path_of(*dir, key, true)));
  if (unreadable && !(there && there->kind == IndexRecord::Kind::kObject)) {
    // It was published, and what is there says neither of which version it is nor that it is its.
    LOG_ERROR("an object's file is damaged", "mountpath", mp_.path(), "key", key);
    unreadable_.lose(name);
    return {};
  }
  if (file && of_file <= tombstone) drop_stale(*dir, path_of(*dir, key, escaped), file->meta);
  if (file && of_file > tombstone && of_file >= of_reference) {
    index.put(bucket, key, index_record_of(file->meta, escaped));
  } else if (logged.reference && of_reference > tombstone) {
    index.put_if_newer(bucket, key, index_record_of(*logged.reference, false));
  } else if (tombstone && !logged.forgotten) {
    index.put_if_newer(bucket, key, tombstone_of(tombstone));
  } else if (there && (there->kind == IndexRecord::Kind::kObject || logged.forgotten)) {
    if (!logged.forgotten) {
      LOG_ERROR(unreadable ? "an object's file is damaged" : "an object's file is gone",
                "mountpath", mp_.path(), "key", key);
    }
    // What is damaged stays known: readers get another target's copy, or an error.
    if (!unreadable) index.erase(bucket, key);
  }
  return {};
}

Status Recovery::rebuild() {
  if (!buckets_.empty()) {
    LOG_WARN("the index is made anew from files and log", "mountpath", mp_.path());
  }
  for (auto& [name, logged] : sum_.names) {
    const auto& [bucket, key] = name;
    if (logged.tombstone) mp_.index().put_if_newer(bucket, key, tombstone_of(logged.tombstone));
    if (logged.reference) {
      mp_.index().put_if_newer(bucket, key, index_record_of(*logged.reference, false));
    }
  }
  for (const auto& known : buckets_) {
    const BucketId id = known.first;
    const auto dir = dir_of_bucket(id);
    if (!dir) continue;
    auto take = [this, id, &dir](const std::string& path) { return take_file(id, *dir, path); };
    CHECK_OK(walk_files(mp_.root(), layout::objects_dir(*dir), take));
    CHECK_OK(walk_files(mp_.root(), layout::escaped_dir(*dir), take));
  }
  TRY(report_.damaged, unreadable_.set_aside());
  return drop_forgotten();
}

/// Their tombstones have kept older files out; another mountpath or target has them.
Status Recovery::drop_forgotten() {
  for (const auto& [name, logged] : sum_.names) {
    if (!logged.forgotten) continue;
    TRY(const auto there, mp_.index().get(name.first, name.second));
    if (there && !there->visible()) mp_.index().erase(name.first, name.second);
  }
  return {};
}

Status Recovery::take_file(BucketId bucket, const std::string& dir, const std::string& path) {
  auto read = read_file(bucket, dir, path);
  if (!read) {
    unreadable_.add(bucket, dir, path, read.error());
    return {};
  }
  StoredMeta& meta = read->meta;
  if (!read->whole && meta.level == Durability::kNone) {  // power loss may do that
    unreadable_.forget(path, Error(Errc::corrupt, "it is cut off"));
    return {};
  }
  const bool escaped = path != layout::object_path(dir, meta.key).path ||
                       layout::must_escape(meta.key);
  std::lock_guard lock(mutex_);
  TRY(const auto there, mp_.index().get(bucket, meta.key));
  if (there && there->info.meta_version >= meta.info.meta_version) {
    drop_stale(dir, path, meta);
    return {};
  }
  if (there && there->kind == IndexRecord::Kind::kObject) {  // at the key's other path, and older
    StoredMeta older;
    older.key = meta.key;
    older.info.meta_version = there->info.meta_version;
    drop_stale(dir, path_of(dir, meta.key, there->escaped), older);
  }
  mp_.index().put(bucket, meta.key, index_record_of(meta, escaped));
  return {};
}

/// Whether what lies where `key` belongs says that it is `other`.
bool Recovery::is_exchanged(const std::string& dir,
                            const std::string& key,
                            const std::string& other) const {
  const auto file = open_object_file(mp_, dir, layout::object_path(dir, key).path);
  return file && (*file)->meta.key == other;
}

/// The metadata of a file as the index should know it. A rename that power loss cut in two, and
/// that nobody was told of as durable, leaves the new key in a file at the old path: it goes back.
Result<Recovery::ReadFile> Recovery::read_file(BucketId bucket,
                                               const std::string& dir,
                                               const std::string& path) {
  TRY(const UniqueFd fd, disk::open_beneath(mp_.root(), path, O_RDONLY));
  ReadFile file;
  StoredMeta& meta = file.meta;
  TRY(meta, read_meta(mp_, dir, fd.get()));
  TRY(const auto stat, disk::stat_of(fd.get()));
  file.whole = stat.size == meta.info.size;
  if (meta.bucket != bucket) return Error(Errc::corrupt, "it belongs to another bucket");
  if (path == layout::object_path(dir, meta.key).path) return file;
  if (path == layout::escaped_path(dir, meta.key).path) return file;
  if (std::string kept = kept_key(meta.key, meta.info);
      path == layout::escaped_path(dir, kept).path) {
    meta.key = std::move(kept);
    return file;
  }
  const std::string below = layout::objects_dir(dir) + "/";
  if (!path.starts_with(below)) return Error(Errc::corrupt, "it lies where its key does not");
  auto key = layout::key_of_plain(std::string_view(path).substr(below.size()));
  if (!key) return Error(Errc::corrupt, "no key lies here");
  if (is_exchanged(dir, meta.key, *key)) {
    return Error(Errc::corrupt, "it was exchanged with the file of \"" + meta.key + "\"");
  }
  meta.key = *std::move(key);
  TRY(const std::string xattr, write_side(mp_, dir, meta));
  CHECK_OK(disk::set_xattr(fd.get(), kMetaXattr, xattr));
  return file;
}

void Recovery::drop_stale(const std::string& dir, const std::string& path, const StoredMeta& meta) {
  ++report_.removed_stale;
  if (Status st = disk::unlink_beneath(mp_.root(), path); !st) {
    LOG_WARN("a stale file stays", "path", path, "why", st.error().what());
  }
  remove_side(mp_, dir, meta.key, meta.info.meta_version);
}

}  // namespace

Result<Recovered> recover(Mountpath& mountpath) {
  Recovery recovery(mountpath);
  auto report = recovery.run();
  if (!report) return std::move(report).error().context("recovery of " + mountpath.path());
  return report;
}

}  // namespace aisfs::store
