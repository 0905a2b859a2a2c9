// SPDX-License-Identifier: MIT
#include "node/store/mountpath.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>

#include "common/base/hash.h"
#include "common/base/text.h"
#include "common/disk/atomic_file.h"
#include "common/disk/posix.h"
#include "common/obs/log.h"
#include "node/store/disk_health.h"
#include "node/store/layout.h"
#include "node/store/log_records.h"
#include "node/store/object_meta.h"

namespace aisfs::store {
namespace {

constexpr const char* kClockFile = "%clock";
constexpr const char* kBucketsFile = "%buckets";
constexpr const char* kTableFile = "%mountpaths";
// Compaction reads and writes tens of MiB: rarely, and only when the log is mostly old intents.
constexpr std::uint64_t kLogBytesMax = 256_MiB;
// A rebalance (rebalance_grid.sh) with one moved two thirds of what it did with two; four were no
// faster.
constexpr std::size_t kBackgroundThreads = 2;

/// %id: whose folder this is.
struct MountpathIdentity {
  static constexpr std::uint16_t kVersion = 2, kCompat = 1;
  std::string cluster_uuid, node_id, mountpath_uuid;
  std::uint32_t incarnation = 0;  // of the node when it opened the folder last

  template <class A>
  void fields(A& ar, std::uint16_t version) {
    ar(cluster_uuid, node_id, mountpath_uuid);
    if (version >= 2) ar(incarnation);
  }
};

/// %clock: versions below have perhaps been given.
struct ClockCeiling {
  static constexpr std::uint16_t kVersion = 1, kCompat = 1;
  std::uint64_t hlc = 0;

  template <class A>
  void fields(A& ar, std::uint16_t) {
    ar(hlc);
  }
};

/// %buckets: which buckets have a folder here. Log records have only the id.
struct BucketTable {
  static constexpr std::uint16_t kVersion = 1, kCompat = 1;
  std::map<std::uint64_t, BucketName> buckets;

  template <class A>
  void fields(A& ar, std::uint16_t) {
    ar(buckets);
  }
};

/// nullopt when the folder has nothing in it that a new file system does not have.
Result<std::optional<std::string>> first_entry(const std::string& path) {
  DIR* dir = ::opendir(path.c_str());
  if (dir == nullptr) return errno_error("opendir " + path);
  std::optional<std::string> found;
  while (const dirent* entry = ::readdir(dir)) {
    const std::string_view name = entry->d_name;
    if (name == "." || name == ".." || name == "lost+found") continue;
    found = std::string(name);
    break;
  }
  ::closedir(dir);
  return found;
}

/// nullopt when there is none.
Result<std::optional<std::uint64_t>> read_ceiling(int root) {
  auto bytes = disk::read_file(root, kClockFile, 4096);
  if (!bytes && bytes.error() == Errc::not_found) return std::optional<std::uint64_t>();
  if (!bytes) return std::move(bytes).error();
  TRY(const auto ceiling, wire::decode<ClockCeiling>(*bytes));
  return std::optional(ceiling.hlc);
}

Result<MountpathIdentity> load_identity(int root) {
  TRY(const std::string bytes, disk::read_file(root, layout::kIdentityFile, 4096));
  return wire::decode<MountpathIdentity>(bytes);
}

Status check_owner(const MountpathIdentity& id, const MountpathOptions& options) {
  if (id.cluster_uuid == options.cluster_uuid && id.node_id == options.node_id) return {};
  return Error(Errc::invalid_argument, "it belongs to node " + id.node_id + " of cluster " +
                                           id.cluster_uuid + ", this is node " + options.node_id +
                                           " of cluster " + options.cluster_uuid +
                                           ": mount the right disk here, or empty the folder");
}

}  // namespace

Result<std::optional<std::uint64_t>> ceiling_at(const std::string& path) {
  const auto root = disk::open_root(path);
  if (!root && root.error() == Errc::not_found) return std::optional<std::uint64_t>();
  if (!root) return root.error();
  return read_ceiling(root->get());
}

Result<std::string> mountpath_uuid(int root) {
  TRY(MountpathIdentity id, load_identity(root));
  return std::move(id.mountpath_uuid);
}

Result<MountpathTable> mountpath_table_at(const std::string& path) {
  TRY(const UniqueFd root, disk::open_root(path));
  TRY(const std::string bytes, disk::read_file(root.get(), kTableFile, 16_MiB));
  return wire::decode<MountpathTable>(bytes);
}

Result<MountpathTable> load_mountpath_table(const MountpathOptions& options) {
  TRY(const UniqueFd root, disk::open_root(options.path));
  TRY(const MountpathIdentity id, load_identity(root.get()));
  CHECK_OK(check_owner(id, options));
  return mountpath_table_at(options.path);
}

Mountpath::Mountpath(MountpathOptions options)
    : options_(std::move(options)),
      pool_({.threads = options_.threads, .background = kBackgroundThreads}) {}

Result<std::unique_ptr<Mountpath>> Mountpath::open(MountpathOptions options) {
  std::unique_ptr<Mountpath> mountpath(new Mountpath(std::move(options)));
  if (Status st = mountpath->take_folder(); !st) {
    return std::move(st).error().context("mountpath " + mountpath->path());
  }
  return mountpath;
}

Status Mountpath::take_folder() {
  TRY(root_, disk::open_root(path()));
  sync_fd_.reset(::open(path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!sync_fd_.valid()) return errno_error("open " + path());
  if (::flock(sync_fd_.get(), LOCK_EX | LOCK_NB) != 0) {
    return Error(Errc::busy, "another process uses it; stop that one first");
  }
  CHECK_OK(check_identity());
  CHECK_OK(check_file_system());
  return open_parts();
}

Status Mountpath::check_identity() {
  auto bytes = disk::read_file(root(), layout::kIdentityFile, 4096);
  if (!bytes) {
    if (bytes.error().code() != Errc::not_found) return std::move(bytes).error();
    TRY(const auto entry, first_entry(path()));
    if (!entry) return make_identity();
    return Error(Errc::invalid_argument, "it has no %id but holds \"" + *entry +
                                             "\": give an empty folder (or the right disk)");
  }
  TRY(const auto id, wire::decode<MountpathIdentity>(*bytes));
  CHECK_OK(check_owner(id, options_));
  if (!options_.uuid.empty() && options_.uuid != id.mountpath_uuid) {
    return Error(Errc::invalid_argument, "it is mountpath " + id.mountpath_uuid + ", not " +
                                             options_.uuid + ": mount the right disk here");
  }
  if (id.incarnation < options_.stamped) {
    return Error(Errc::invalid_argument,
                 "it is a copy of before the node's last start, or was set back (start " +
                     std::to_string(id.incarnation) + ", the node's data folder knows " +
                     std::to_string(options_.stamped) +
                     "): bring the right disk back; if that is lost, decommission the node with "
                     "--data-lost and join a new one");
  }
  uuid_ = id.mountpath_uuid;
  return {};
}

/// An empty folder becomes a mountpath, unless it should be one.
Status Mountpath::make_identity() {
  if (!options_.uuid.empty()) {
    return Error(Errc::not_found, "it is empty: mount the disk of mountpath " + options_.uuid);
  }
  return write_identity(to_hex(as_bytes(random_bytes(16))), options_.stamped);
}

Status Mountpath::write_identity(std::string mountpath_uuid, std::uint32_t incarnation) {
  uuid_ = std::move(mountpath_uuid);
  const MountpathIdentity id{options_.cluster_uuid, options_.node_id, uuid_, incarnation};
  return disk::write_file_atomically(root(), layout::kIdentityFile, wire::encode(id));
}

Status Mountpath::stamp(std::uint32_t incarnation) { return write_identity(uuid_, incarnation); }

Status Mountpath::check_file_system() {
  TRY(facts_, disk::probe_fs(root()));
  if (facts_.xattr_bytes < 900) {
    return Error(Errc::unsupported, "the file system (" + facts_.type +
                                        ") keeps no extended attributes of 900 bytes: use XFS, or "
                                        "ext4 with blocks of 4 KiB (mkfs.ext4 -b 4096)");
  }
  LOG_INFO("mountpath", "path", path(), "fs", facts_.type, "xattr_bytes", facts_.xattr_bytes,
           "reflink", facts_.reflink, "o_tmpfile", facts_.nameless_files);
  if (!facts_.reflink) {
    LOG_INFO("no reflink: patches and copies of large objects copy their bytes; XFS has it",
             "path", path());
  }
  return {};
}

Status Mountpath::open_parts() {
  for (const char* dir : {layout::kWorkDir, layout::kLogDir, layout::kDeletedDir, layout::kBadDir}) {
    CHECK_OK(disk::make_dirs(root(), dir));
  }
  CHECK_OK(load_buckets());
  CHECK_OK(lost_.load(root()));
  TRY(const auto mount, disk::mount_identity(root()));
  TRY(index_, Index::open({.path = path() + "/" + layout::kIndexDir,
                           .mount = mount,
                           .believe = !options_.doubted}));
  TRY(log_, Log::open({.root = root(),
                       .dir = layout::kLogDir,
                       .known_end = index_->fresh() ? 0 : index_->checkpoint()}));
  TRY(const std::uint64_t bytes, intent_bytes());
  TRY(intents_, IntentLog::open({.root = root(), .dir = layout::kIntentDir, .segment_bytes = bytes}));
  committer_ = std::make_unique<Committer>(
      pool_, [this](Barrier b) { return sync(b); }, [this](const Error& error) { note(error); });
  return {};
}

/// A small disk has a small intent log, or none.
Result<std::uint64_t> Mountpath::intent_bytes() const {
  TRY(const auto space, disk::space_of(root()));
  return std::min(options_.intent_bytes, space.available_bytes / 64);
}

Status Mountpath::sync(Barrier barrier) {
  if (barrier == Barrier::kIntents) return intents_->sync();
  const Lsn end = log_->end();
  const std::uint64_t version = options_.last_version();
  const std::vector<Lsn> settled = intents_->settled();
  CHECK_OK(log_->flush(end));
  CHECK_OK(disk::sync_file_system(sync_fd_.get()));
  log_->mark_synced(end);
  assume_synced(version);
  intents_->forget(settled);
  return {};
}

Status Mountpath::forget_intents() {
  CHECK_OK(log_->flush(log_->end()));
  CHECK_OK(disk::sync_file_system(sync_fd_.get()));
  return intents_->clear();
}

void Mountpath::settle(IntentLog::Ticket ticket) {
  ticket.settle();
  if (intents_->wants_barrier()) committer_->flush();
}

Result<Mountpath::Effect> Mountpath::announce(LogType type, std::string_view payload) {
  Lsn begin = 0, end = 0;
  {
    std::lock_guard lock(effects_mutex_);  // so that checkpoint() cannot slip in between
    begin = log_->end();
    end = log_->append(type, payload);
    effects_.insert(begin);
  }
  Effect effect(this, begin, end);
  CHECK_OK(log_->flush(end));
  return effect;
}

void Mountpath::forget(Lsn begin) {
  std::lock_guard lock(effects_mutex_);
  effects_.erase(effects_.find(begin));
}

void Mountpath::checkpoint() {
  Lsn settled = 0;
  {
    std::lock_guard lock(effects_mutex_);
    settled = effects_.empty() ? log_->end() : *effects_.begin();
  }
  if (settled == index_->checkpoint()) return;
  // The index never knows of what a kill -9 takes from the log.
  if (!log_->flush(settled)) return;
  index_->advance_checkpoint(settled);
  if (log_->bytes() < kLogBytesMax) return;
  // What is settled is on the disk before the log forgets how it came about.
  if (Status st = disk::sync_file_system(sync_fd_.get()); !st) {
    LOG_WARN("the log could not be compacted", "mountpath", path(), "why", st.error().what());
    return;
  }
  // What a rebuild would need and no file says: deletes and references that still hold.
  auto keep = [this](const LogRecord& record) {
    if (record.type == LogType::kPublishIntent) return false;
    if (record.type == LogType::kRenameIntent) return false;  // its effect has settled
    if (record.type == LogType::kReference) return reference_counts(record.payload);
    if (record.type != LogType::kTombstone) return true;
    auto tombstone = wire::decode<TombstoneRecord>(record.payload);
    if (!tombstone) return true;
    const auto there = index_->get(tombstone->bucket, tombstone->key);
    if (!there) return true;
    if (!*there) return false;  // it has been forgotten since
    const Version now = (*there)->info.meta_version;
    return now <= tombstone->version || !survives_power_loss(now);
  };
  if (Status st = log_->compact(settled, keep); !st) {
    LOG_WARN("the log could not be compacted", "mountpath", path(), "why", st.error().what());
  }
}

/// False for a reference whose successor is on the disk for good.
bool Mountpath::reference_counts(std::string_view payload) const {
  const auto record = wire::decode<ReferenceRecord>(payload);
  if (!record) return true;
  const auto meta = decode_meta(record->xattr, record->side);
  if (!meta) return true;
  const auto there = index_->get(meta->bucket, meta->key);
  if (!there) return true;
  if (!*there) return false;  // it has been forgotten since
  const Version now = (*there)->info.meta_version;
  return now <= meta->info.meta_version || !survives_power_loss(now);
}

Status Mountpath::load_buckets() {
  auto bytes = disk::read_file(root(), kBucketsFile, 256_MiB);
  if (!bytes) {
    if (bytes.error().code() == Errc::not_found) return {};
    return std::move(bytes).error();
  }
  TRY(auto table, wire::decode<BucketTable>(*bytes));
  for (auto& [id, name] : table.buckets) buckets_[BucketId{id}] = std::move(name);
  return {};
}

Status Mountpath::save_buckets() const {
  BucketTable table;
  for (const auto& [id, name] : buckets_) table.buckets[id.value] = name;
  return disk::write_file_atomically(root(), kBucketsFile, wire::encode(table));
}

Status Mountpath::know_bucket(BucketId id, const BucketName& name) {
  {
    std::shared_lock lock(buckets_mutex_);
    if (buckets_.contains(id)) return {};
  }
  std::unique_lock lock(buckets_mutex_);
  if (!buckets_.emplace(id, name).second) return {};
  Status saved = save_buckets();
  if (!saved) buckets_.erase(id);
  return saved;
}

Status Mountpath::forget_bucket(BucketId id) {
  std::unique_lock lock(buckets_mutex_);
  if (buckets_.erase(id) == 0) return {};
  return save_buckets();
}

std::map<BucketId, BucketName> Mountpath::buckets() const {
  std::shared_lock lock(buckets_mutex_);
  return buckets_;
}

std::optional<std::set<std::uint64_t>> Mountpath::bucket_ids_now() const {
  const std::shared_lock lock(buckets_mutex_, std::try_to_lock);
  if (!lock) return std::nullopt;
  std::set<std::uint64_t> ids;
  for (const auto& known : buckets_) ids.insert(known.first.value);
  return ids;
}

std::string Mountpath::new_work_path() {
  return std::string(layout::kWorkDir) + "/" + std::to_string(next_work_.fetch_add(1));
}

Result<bool> Mountpath::has_space(std::uint64_t more) const {
  TRY(const auto space, disk::space_of(root()));
  // A small disk keeps 2 %: what a tombstone needs is far less.
  const std::uint64_t least = std::min(options_.reserve_bytes, space.total_bytes / 50);
  const std::uint64_t kept =
      space.total_bytes / 100 * (100 - std::min(100u, options_.out_of_space));
  const std::uint64_t reserve = std::max(least, kept);
  return space.available_bytes >= reserve && space.available_bytes - reserve >= more;
}

Status Mountpath::check_space(std::uint64_t more) {
  TRY(bool has, has_space(more));
  if (has) return {};
  remove_spares(spares_.take_all());
  TRY(has, has_space(more));
  if (has) return {};
  TRY(const auto space, disk::space_of(root()));
  return Error(Errc::no_space, "mountpath " + path() + " has " +
                                   human_size(space.available_bytes) +
                                   " left: delete objects or add a mountpath");
}

std::optional<unsigned> Mountpath::above_high_watermark() {
  const auto space = disk::space_of(root());
  if (!space || space->total_bytes < 100) return std::nullopt;
  const std::uint64_t free = space->available_bytes / (space->total_bytes / 100);
  const auto used = static_cast<unsigned>(100 - std::min<std::uint64_t>(free, 100));
  const bool high = used >= options_.high_watermark;
  const bool was_high = is_high_.exchange(high);
  if (high && !was_high) {
    LOG_WARN("a mountpath is nearly full", "path", path(), "used_percent", used);
  }
  if (!high && was_high) {
    LOG_INFO("a mountpath has space again", "path", path(), "used_percent", used);
  }
  return high ? std::optional(used) : std::nullopt;
}

void Mountpath::remove_spares(const std::vector<SpareFile>& files) {
  for (const SpareFile& file : files) {
    // What cannot be removed now is removed at the next start.
    [[maybe_unused]] const Status removed = disk::unlink_beneath(root(), file.path);
  }
}

Result<std::uint64_t> Mountpath::load_ceiling() const {
  TRY(const auto ceiling, read_ceiling(root()));
  return ceiling.value_or(0);
}

Status Mountpath::save_ceiling(std::uint64_t hlc) {
  const ClockCeiling ceiling{hlc};
  CHECK_OK(disk::write_file_atomically(root(), kClockFile, wire::encode(ceiling)));
  saved_ceiling_ = hlc;
  return {};
}

Status Mountpath::save_table(const MountpathTable& table) const {
  return disk::write_file_atomically(root(), kTableFile, wire::encode(table));
}

void Mountpath::note(const Error& error) {
  // After a failed sync nobody knows what the disk has, whatever the reason.
  const bool counts = is_disk_error(error) || (committer_ && committer_->suspect());
  if (options_.on_error && counts) options_.on_error(*this, error);
}

void Mountpath::shut(bool cleanly) {
  pool_.join();
  Status closed = cleanly ? close_clean() : Status(Errc::cancelled);
  committer_.reset();
  index_->close();
  log_.reset();
  intents_.reset();
  root_.reset();
  sync_fd_.reset();
}

Status Mountpath::close_clean() {
  remove_spares(spares_.take_all());
  const bool suspect = committer_->suspect();
  committer_.reset();
  CHECK_OK(log_->sync(log_->end()));
  if (!suspect && !intents_->empty()) {
    CHECK_OK(sync(Barrier::kFiles));
    CHECK_OK(intents_->clear());
  }
  index_->advance_checkpoint(log_->end());
  return index_->close_clean();
}

}  // namespace aisfs::store
