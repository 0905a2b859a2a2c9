// SPDX-License-Identifier: MIT
#include "cachefs/names/name_cache.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>

#include "common/base/hash.h"
#include "common/disk/atomic_file.h"
#include "common/obs/log.h"

namespace aisfs::cachefs {
namespace {

constexpr std::string_view kFormat = "aisfs names 1";
constexpr const char* kLabel = "label";
constexpr std::size_t kKeyBytesMax = 400;       // LMDB takes 511
constexpr std::size_t kThinnedAtOnce = 10'000;  // names a transaction: its pages are in memory
constexpr std::size_t kQueuedMax = 50'000;      // more are dropped: it is a hint
constexpr auto kBatchWait = std::chrono::milliseconds(200);
constexpr std::size_t kValueBytes = 1 + 8 + 4 + 8 + 4;

// What is known of the files: whose they are, and whether they may be believed.
struct Label {
  std::string cluster, boot;
  bool clean = false;
};

std::string boot_id() {
  std::ifstream file("/proc/sys/kernel/random/boot_id");
  std::string id;
  std::getline(file, id);
  return id;
}

Label read_label(const std::string& path) {
  std::ifstream file(path);
  std::string format, clean;
  Label label;
  std::getline(file, format);
  std::getline(file, label.cluster);
  std::getline(file, label.boot);
  std::getline(file, clean);
  label.clean = clean == "clean";
  return format == kFormat ? label : Label{};
}

/// Durable: what it says of a crash is asked after the next boot.
Status write_label(const std::string& folder, const Label& label) {
  const std::string text = std::string(kFormat) + "\n" + label.cluster + "\n" + label.boot + "\n" +
                           (label.clean ? "clean" : "open") + "\n";
  const UniqueFd root(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!root.valid()) return errno_error("open " + folder);
  return disk::write_file_atomically(root.get(), kLabel, text, 0600);
}

/// Bucket and path; a long path by its hash.
std::string key_of(BucketId bucket, std::string_view path) {
  std::string key(8, '\0');
  for (int i = 0; i < 8; ++i)
    key[static_cast<std::size_t>(i)] = static_cast<char>(bucket.value >> (56 - 8 * i));
  if (path.size() <= kKeyBytesMax) return key.append("p").append(path);
  return key.append("h").append(sha256(path));
}

std::string encode(const SeenName& seen) {
  std::string value(kValueBytes, '\0');
  char* at = value.data();
  const auto add = [&](const auto& number) {
    std::memcpy(at, &number, sizeof number);
    at += sizeof number;
  };
  add(seen.kind);
  add(seen.ino);
  add(seen.content_version.epoch);
  add(seen.content_version.hlc);
  add(seen.content_version.incarnation);
  return value;
}

std::optional<SeenName> decode(std::string_view value) {
  if (value.size() != kValueBytes) return std::nullopt;
  SeenName seen;
  const char* at = value.data();
  const auto take = [&](auto& number) {
    std::memcpy(&number, at, sizeof number);
    at += sizeof number;
  };
  take(seen.kind);
  take(seen.ino);
  take(seen.content_version.epoch);
  take(seen.content_version.hlc);
  take(seen.content_version.incarnation);
  const bool known = seen.kind == SeenName::Kind::kFile || seen.kind == SeenName::Kind::kDirectory;
  return known ? std::optional(seen) : std::nullopt;
}

/// Made for this user alone if missing; refused if others could have put something there.
Status make_private(const std::string& folder) {
  if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) return errno_error("mkdir " + folder);
  struct stat st{};
  if (::lstat(folder.c_str(), &st) != 0) return errno_error("stat " + folder);
  const bool own = S_ISDIR(st.st_mode) && st.st_uid == ::geteuid();
  if (own && (st.st_mode & (S_IWGRP | S_IWOTH)) == 0) return {};
  return Error(Errc::permission_denied, folder +
                                            " is not a folder that this user alone can write: "
                                            "give another with -o cache_dir=");
}

Result<UniqueFd> take_folder(const std::string& folder) {
  const std::filesystem::path path(folder);
  std::error_code ec;
  std::filesystem::create_directories(path.parent_path().parent_path(), ec);
  if (ec) return errno_error("mkdir " + path.parent_path().parent_path().string(), ec.value());
  CHECK_OK(make_private(path.parent_path()));
  CHECK_OK(make_private(path));
  UniqueFd lock(::open((folder + "/lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!lock.valid()) return errno_error("open " + folder + "/lock");
  if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
    return Error(Errc::busy, folder + " is in use by another process");
  }
  return lock;
}

/// Opens the environment; one that cannot be believed or read begins anew.
Result<std::unique_ptr<lmdb::Env>> open_env(const NameCacheOptions& options) {
  const std::string path = options.folder + "/lmdb";
  const Label before = read_label(options.folder + "/" + kLabel);
  const Label now{.cluster = options.cluster_uuid, .boot = boot_id()};
  // Written without syncs: whole while this machine runs, or when it was closed.
  const bool believed = before.cluster == now.cluster && (before.clean || before.boot == now.boot);
  std::error_code ec;
  if (!believed) std::filesystem::remove_all(path, ec);
  CHECK_OK(write_label(options.folder, now));
  const auto open = [&] {
    return lmdb::Env::open(
        {.path = path, .map_bytes = 64ULL << 20, .tables = 1, .sync = lmdb::Sync::kNone});
  };
  auto env = open();
  if (env) return env;
  LOG_WARN("name cache begun anew", "folder", options.folder, "why", env.error().what());
  std::filesystem::remove_all(path, ec);
  return open();
}

}  // namespace

Result<std::unique_ptr<NameCache>> NameCache::open(NameCacheOptions options) {
  TRY(UniqueFd lock, take_folder(options.folder));
  TRY(auto env, open_env(options));
  TRY(const lmdb::Table names, env->table("names"));
  return std::unique_ptr<NameCache>(
      new NameCache(std::move(options), std::move(lock), std::move(env), names));
}

NameCache::NameCache(NameCacheOptions options,
                     UniqueFd lock,
                     std::unique_ptr<lmdb::Env> env,
                     lmdb::Table names)
    : options_(std::move(options)),
      lock_(std::move(lock)),
      env_(std::move(env)),
      names_(names),
      writer_([this] { run(); }) {}

NameCache::~NameCache() {
  {
    const std::lock_guard lock(mutex_);
    stops_ = true;
  }
  changed_.notify_all();
  writer_.join();
  if (env_->sync()) {
    (void)write_label(options_.folder,  // else it is begun anew after the next boot
                      {.cluster = options_.cluster_uuid, .boot = boot_id(), .clean = true});
  }
}

std::optional<SeenName> NameCache::find(BucketId bucket, std::string_view path) const {
  const std::string key = key_of(bucket, path);
  {
    const std::lock_guard lock(mutex_);
    for (const Pending* pending : {&queued_, &writing_}) {
      if (const auto it = pending->find(key); it != pending->end()) return it->second;
    }
  }
  const auto txn = env_->read();
  if (!txn) return std::nullopt;
  const auto value = names_.get(*txn, key);
  return value && *value ? decode(**value) : std::nullopt;
}

void NameCache::learn(BucketId bucket, std::string_view path, const SeenName& seen) {
  queue(bucket, path, seen);
}
void NameCache::forget(BucketId bucket, std::string_view path) {
  queue(bucket, path, std::nullopt);
}

void NameCache::queue(BucketId bucket, std::string_view path, std::optional<SeenName> seen) {
  std::string key = key_of(bucket, path);
  const std::lock_guard lock(mutex_);
  if (queued_.size() >= kQueuedMax) return;
  if (queued_.empty()) changed_.notify_all();
  queued_.insert_or_assign(std::move(key), seen);
}

void NameCache::flush() {
  std::unique_lock lock(mutex_);
  while (!queued_.empty() || !writing_.empty()) {
    wants_flush_ = true;
    changed_.notify_all();
    changed_.wait(lock);
  }
}

void NameCache::run() {
  bool failed = false;
  std::unique_lock lock(mutex_);
  while (!stops_ || !queued_.empty()) {
    changed_.wait(lock, [&] { return stops_ || !queued_.empty(); });
    if (!stops_ && !wants_flush_) {  // some more may come
      changed_.wait_for(lock, kBatchWait, [&] { return stops_ || wants_flush_; });
    }
    wants_flush_ = false;
    writing_.swap(queued_);
    lock.unlock();
    const Status done = write(writing_);
    if (!done && !failed) LOG_WARN("name cache not written", "why", done.error().what());
    failed = !done;
    lock.lock();
    writing_.clear();
    changed_.notify_all();
  }
}

Status NameCache::write(const Pending& batch) {
  const auto change = [&](lmdb::WriteTxn& txn) -> Status {
    for (const auto& [key, seen] : batch) {
      if (seen) {
        CHECK_OK(names_.put(txn, key, encode(*seen)));
      } else {
        CHECK_OK(names_.erase(txn, key));
      }
    }
    return {};
  };
  CHECK_OK(env_->write(change));
  return size() > options_.names_max ? thin() : Status{};
}

/// Every second name goes: old and new ones alike, which costs a request each when they come again.
Status NameCache::thin() {
  for (std::string from(1, '\0'); !from.empty();) {
    const auto change = [&](lmdb::WriteTxn& txn) { return thin_some(txn, from); };
    CHECK_OK(env_->write(change));
  }
  return {};
}

/// From that key on; then it is where to go on, "" at the end.
Status NameCache::thin_some(lmdb::WriteTxn& txn, std::string& from) const {
  std::vector<std::string> keys;
  std::string end;
  {
    TRY(auto cursor, lmdb::Cursor::open(txn, names_));
    std::size_t n = 0;
    for (auto more = cursor.seek(from);; more = cursor.next()) {
      if (!more) return more.error();
      if (!*more) break;
      if (n == kThinnedAtOnce) {
        end = std::string(cursor.key());
        break;
      }
      if (++n % 2 == 0) keys.emplace_back(cursor.key());
    }
  }
  for (const std::string& key : keys) CHECK_OK(names_.erase(txn, key));
  from = std::move(end);
  return {};
}

std::size_t NameCache::size() const {
  const auto txn = env_->read();
  if (!txn) return 0;
  const auto size = names_.size(*txn);
  return size ? static_cast<std::size_t>(*size) : 0;
}

}  // namespace aisfs::cachefs
