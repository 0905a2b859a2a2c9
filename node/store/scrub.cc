// SPDX-License-Identifier: MIT
// Store: looks for what a disk has lost or changed since it was written.
#include "node/store/scrub.h"

#include <fcntl.h>

#include "common/disk/atomic_file.h"
#include "common/disk/idle_io.h"
#include "common/disk/posix.h"
#include "common/obs/log.h"
#include "node/store/disk_copies.h"
#include "node/store/upload.h"
#include "node/store/versions.h"

namespace aisfs::store {
namespace {

using State = ScrubFinding::State;

/// The metadata of the file against what the index answers from.
Status compare_meta(const StoredMeta& meta, const Key& key, const IndexRecord& record) {
  const auto wrong = [&key](const char* what) {
    return Error(Errc::corrupt,
                 "the file of " + key.display() + " has another " + what + " than the index");
  };
  if (meta.bucket != key.bucket || !stands_for(meta, key.key())) return wrong("name");
  if (meta.info.content_version != record.info.content_version) return wrong("version");
  if (meta.info.meta_version != record.info.meta_version) return wrong("version of its attributes");
  if (meta.info.size != record.info.size) return wrong("size");
  if (meta.hashes.root != record.root_hash) return wrong("hash");
  if (meta.info.ino != record.info.ino) return wrong("inode number");
  if (record.complete && meta.info.etag != record.info.etag) return wrong("etag");
  const BlockHashes& hashes = meta.hashes;
  if (!hashes.blocks.empty() && root_of(hashes.blocks) != hashes.root)
    return wrong("list of hashes");
  return {};
}

/// One look at the file that a record says is there.
class Look {
 public:
  Look(Engine& engine, Mountpath& mountpath, const Key& key, const IndexRecord& record)
      : engine_(engine), mp_(mountpath), key_(key), record_(record) {}

  /// An error is one of this node or of `pace`, and says nothing about the file.
  Task<Result<ScrubFinding>> run(const Store::Pace& pace) {
    found_ = {.state = State::kGood, .meta_version = record_.info.meta_version};
    auto open = [this] { return this->open(); };
    CO_CHECK_OK(co_await mp_.pool().run(std::move(open)));
    if (found_.state != State::kGood) co_return found_;
    const std::uint64_t blocks = block_count(file_->meta.info.size);
    for (std::uint64_t block = 0; block < blocks && found_.state == State::kGood; ++block) {
      if (pace) CO_CHECK_OK(co_await pace(block_size(*file_, block)));
      auto read = [this, block] { return this->read(block); };
      CO_CHECK_OK(co_await mp_.pool().run(std::move(read)));
    }
    co_return found_;
  }

  /// Somebody reads another file as this version, one that was opened before this one was put
  /// there.
  bool is_other(const OpenFile& open) const {
    const auto here = disk::stat_of(file_->fd.get()), there = disk::stat_of(open.fd.get());
    return here && there && here->ino != there->ino;
  }

 private:
  Status open() {
    const std::string path = path_of(dir_of(key_.name.bucket), key_.key(), record_.escaped);
    auto opened = mp_.noted(open_object_file(mp_, dir_of(key_.name.bucket), path));
    if (!opened) return note(opened.error());
    file_ = *std::move(opened);
    if (Status same = compare_meta(file_->meta, key_, record_); !same) return note(same.error());
    // What the page cache has is what was written: the disk is asked.
    ::posix_fadvise(file_->fd.get(), 0, 0, POSIX_FADV_DONTNEED);
    return {};
  }

  Status read(std::uint64_t block) {
    const disk::IdleIo idle;
    const std::size_t size = block_size(*file_, block);
    const auto buffer = engine_.blocks.take();
    const MutableBytes into(buffer.get(), size);
    Status loaded = mp_.noted(load_block(*file_, block, into, VerifyRead::kAlways));
    // Nobody asked for these pages.
    const auto offset = static_cast<off_t>(block * kHashBlockBytes);
    ::posix_fadvise(file_->fd.get(), offset, static_cast<off_t>(size), POSIX_FADV_DONTNEED);
    found_.bytes += size;
    return loaded ? Status() : note(loaded.error());
  }

  Status note(const Error& error) {
    switch (error.code()) {
      case Errc::not_found:
      case Errc::not_directory:
        found_.state = State::kMissing;
        found_.why = "its file is gone";
        return {};
      case Errc::io:
      case Errc::corrupt:
      case Errc::unsupported:  // a format that nobody has written
      case Errc::no_attribute:
        found_.state = State::kDamaged;
        found_.why = error.what();
        return {};
      default:
        return error;
    }
  }

  Engine& engine_;
  Mountpath& mp_;
  const Key& key_;
  const IndexRecord& record_;
  std::shared_ptr<OpenFile> file_;
  ScrubFinding found_;
};

Error gone(const Key& key) {
  return Error(Errc::not_ready, "the mountpath of " + key.display() + " has gone");
}

std::string describe(const Key& key, const IndexRecord& bad, std::int64_t unix_ns) {
  return "bucket: " + key.name.bucket.display() +
         "\nbucket id: " + std::to_string(key.bucket.value) +
         "\ncontent version: " + bad.info.content_version.to_string() +
         "\nmeta version: " + bad.info.meta_version.to_string() +
         "\nset aside (ns since 1970): " + std::to_string(unix_ns) + "\nkey: " + key.key() + "\n";
}

}  // namespace

Status set_aside(Mountpath& mp, const Key& key, const IndexRecord& bad) {
  const std::int64_t now =
      std::chrono::system_clock::now().time_since_epoch() / std::chrono::nanoseconds(1);
  const std::string to = std::string(layout::kBadDir) + "/" + std::to_string(now) + "-" +
                         std::to_string(Engine::lock_hash(key));
  // The text first: a file in %bad is never without it.
  CHECK_OK(disk::write_file_atomically(mp.root(), to + ".txt", describe(key, bad, now)));
  const std::string path = path_of(dir_of(key.name.bucket), key.key(), bad.escaped);
  Status linked = disk::link_beneath(mp.root(), path, to);
  if (!linked && linked.error() == Errc::not_found) return {};
  if (linked) {
    LOG_WARN("a damaged file is set aside", "mountpath", mp.path(), "object", key.display(), "to",
             to);
  }
  return linked;
}

namespace {

/// Those of a name whose first place is good: what is damaged is made again of that. The bytes that
/// were read.
Task<Result<std::uint64_t>> scrub_copies(Engine& engine, Key key, Store::Pace unhurried) {
  std::uint64_t bytes = 0;
  const auto places = engine.mounts.now().places_of(key.bucket, key.digest);
  for (std::size_t i = 1; i < places.size(); ++i) {
    const auto held = engine.mounts.hold(*places[i]);
    if (!held) co_return gone(key);
    NameGuard guard;
    Store::Pace pace = unhurried;
    for (bool again = false;; again = true) {
      CO_TRY(auto record, held->index().get(key.bucket, key.key()));
      if (!record || record->kind != IndexRecord::Kind::kObject) break;
      Look look(engine, *held, key, *record);
      CO_TRY(const ScrubFinding found, co_await look.run(pace));
      bytes += found.bytes;
      if (found.state == State::kGood) break;
      if (again) {
        CO_CHECK_OK(co_await make_copy_again(engine, key, *held, *std::move(record)));
        LOG_WARN("a damaged copy was made again", "mountpath", held->path(), "object",
                 key.display(), "why", found.why);
        break;
      }
      guard = co_await engine.lock_in_place(key);  // as for the first place
      pace = nullptr;
    }
  }
  co_return bytes;
}

}  // namespace

Task<Result<ScrubFinding>> Store::scrub(Key key, Pace pace) {
  CO_TRY(ScrubFinding found, co_await scrub_first(key, pace));
  const bool copies = engine_->mounts.now().keeps_copies(key.bucket);
  if (found.state != State::kGood || !copies) co_return found;
  CO_TRY(const std::uint64_t bytes,
         co_await scrub_copies(*engine_, std::move(key), std::move(pace)));
  found.bytes += bytes;
  co_return found;
}

Task<Result<ScrubFinding>> Store::scrub_first(Key key, Pace pace) {
  ScrubFinding found;
  NameGuard guard;
  for (bool again = false;; again = true) {
    if (!engine_->ready) co_return Error(Errc::not_ready, "the target recovers its disks");
    CO_TRY(const auto place, engine_->find_anywhere(key));
    const auto& record = place.record;
    CO_CHECK_OK(engine_->check_known(key, record));
    if (!record || record->kind != IndexRecord::Kind::kObject) co_return ScrubFinding{};
    const auto mountpath = engine_->mounts.hold(*place.mountpath);
    if (!mountpath) co_return gone(key);
    Look look(*engine_, *mountpath, key, *record);
    CO_TRY(found, co_await look.run(pace));
    // Nothing is known of a file whose disk has gone meanwhile.
    if (!engine_->mounts.hold(*mountpath)) co_return gone(key);
    const Version version = record->info.content_version;
    if (found.state == State::kGood) {
      const auto open = engine_->files.find(version);
      if (open && look.is_other(*open)) engine_->files.forget(version);
      co_return found;
    }
    if (again) {
      engine_->verified.erase(version);
      engine_->files.forget(version);
      co_return found;
    }
    // What was replaced or has moved in between looks damaged: with the lock nothing is.
    guard = co_await engine_->lock_in_place(key);
    pace = nullptr;
  }
}

Task<Result<bool>> Store::replace_damaged(Key key, StoredMeta meta, BodySource& body) {
  PutOptions options{.level = meta.level, .size = meta.info.size};
  const auto upload = begin_put(std::move(key), std::move(options));
  CO_CHECK_OK(co_await upload->write_from(body));
  co_return co_await upload->adopt(std::move(meta), Adopt::kDamaged);
}

}  // namespace aisfs::store
