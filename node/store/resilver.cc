// SPDX-License-Identifier: MIT
#include "node/store/resilver.h"

#include <fcntl.h>

#include "common/async/gather.h"
#include "common/disk/posix.h"
#include "common/model/version_key.h"
#include "common/obs/log.h"
#include "node/store/disk_copies.h"
#include "node/store/file_walk.h"
#include "node/store/multipart.h"
#include "node/store/put.h"
#include "node/store/rename.h"
#include "node/store/slice_walk.h"
#include "node/store/versions.h"

namespace aisfs::store {
namespace {

constexpr std::size_t kPage = 1000;
constexpr Duration kLookEvery = std::chrono::milliseconds(200);
constexpr int kLooksMax = 10;
constexpr Duration kAgain = std::chrono::seconds(1);  // after a round that left something

Error gone() { return Error(Errc::not_ready, "a mountpath has gone"); }

/// The newer of the two states is at the place then, and the other one has gone.
Task<Status> bring_one(Engine& engine, Key key, Mountpath& from, Mountpath& to, Leave how) {
  CO_TRY(auto record, from.index().get(key.bucket, key.key()));
  if (!record) co_return Status{};
  CO_TRY(auto there, to.index().get(key.bucket, key.key()));
  if (there && there->info.meta_version >= record->info.meta_version) {
    CO_CHECK_OK(co_await sync_mountpath(to));  // it replaces what may have been durable
  } else {
    CO_CHECK_OK(
        co_await copy_state(engine, key, *record, std::move(there), from, to, Durability::kFull));
  }
  // It may have failed meanwhile.
  if (&engine.mountpath_of(key) != &to) co_return gone();
  co_return co_await leave(engine, from, std::move(key), *std::move(record), how);
}

Task<Status> bring_all(Engine& engine, const Key& key, Leave how) {
  const MountpathSet& set = engine.mounts.now();
  Mountpath& place = set.place_of(key.digest);
  const Key plain = sibling_of(key, std::string(plain_key(key.key())));
  if (set.keeps_copies(key.bucket)) co_return co_await spread(engine, plain, how);
  for (Mountpath* from : set.readable) {
    if (from == &place) continue;
    CO_TRY(const auto kept, kept_on(*from, plain));
    for (const std::string& one : kept) {
      Key version = sibling_of(key, one);
      CO_CHECK_OK(co_await bring_one(engine, std::move(version), *from, place, how));
    }
    CO_CHECK_OK(co_await bring_one(engine, plain, *from, place, how));
  }
  co_return Status{};
}

}  // namespace

Task<Status> bring_to_place(Engine& engine, const Key& key) {
  return bring_all(engine, key, Leave::kDurably);
}

Task<Status> forget_elsewhere(Engine& engine, const Key& key) {
  const MountpathSet& set = engine.mounts.now();
  if (set.settled) co_return Status{};
  Mountpath& place = set.place_of(key.digest);
  for (Mountpath* other : set.readable) {
    if (other == &place) continue;
    CO_TRY(auto record, other->index().get(key.bucket, key.key()));
    if (record) {
      CO_CHECK_OK(co_await leave(engine, *other, key, *std::move(record), Leave::kDurably));
    }
  }
  co_return Status{};
}

// --- the walker ----------------------------------------------------------------------------------

template <class Edit>
void Resilver::note(Edit edit) {
  const std::lock_guard lock(mutex_);
  edit(progress_);
}

ResilverProgress Resilver::progress() const {
  const std::lock_guard lock(mutex_);
  return progress_;
}

Task<void> Resilver::run() {
  Duration pause = kLookEvery;
  while (co_await engine_.clock.sleep(pause)) {
    pause = kLookEvery;
    if (engine_.mounts.now().settled) continue;
    const auto done = co_await round();
    if (done && *done) continue;
    pause = kAgain;
    if (!done) LOG_DEBUG("resilver interrupted", "why", done.error().what());
  }
}

Task<Result<bool>> Resilver::round() {
  const MountpathSet& set = engine_.mounts.now();
  if (set.settled) co_return true;
  // What began by an earlier set may still put a name where nobody looks any more.
  const std::uint64_t turn = engine_.gate.begin_turn();
  for (int looks = 0; engine_.gate.has_older(turn); ++looks) {
    if (looks == kLooksMax) co_return Error(Errc::not_ready, "earlier changes still go on");
    CO_CHECK_OK(co_await engine_.clock.sleep(kLookEvery));
  }
  std::uint64_t total = 0;
  for (const Mountpath* mountpath : set.readable) total += mountpath->index().counters().objects;
  note([&](ResilverProgress& p) {
    if (!p.running) p = {.running = true, .started_ns = engine_.clock.unix_ns()};
    p.names_total = total;
    p.names_seen = p.names_left = 0;
    p.why.clear();
  });
  const std::uint64_t copies_left = engine_.copies_left;
  std::vector<Task<Result<bool>>> walks;
  for (Mountpath* mountpath : set.readable) walks.push_back(walk_mountpath({set, *mountpath}));
  bool all = true;
  for (auto& walked : co_await gather(std::move(walks))) {
    CO_TRY(const bool one, std::move(walked));
    all = all && one;
  }
  if (!all) co_return false;
  CO_CHECK_OK(co_await finish(set, copies_left));
  co_return true;
}

Task<Result<bool>> Resilver::walk_mountpath(Walk walk) {
  const auto held = engine_.mounts.hold(walk.mountpath);
  if (!held) co_return gone();
  bool all = true;
  for (const auto& [bucket, name] : held->buckets()) {
    CO_TRY(const bool contents, co_await walk_contents(walk, bucket, name));
    CO_TRY(const bool uploads, co_await walk_uploads(walk, bucket, name));
    CO_TRY(const bool slices, co_await walk_slices(walk, bucket, name));
    CO_TRY(const bool tombstones, co_await walk_names(walk, bucket, name, true));
    CO_TRY(const bool names, co_await walk_names(walk, bucket, name, false));
    all = all && contents && uploads && slices && tombstones && names;
  }
  co_return all;
}

Task<Result<bool>> Resilver::walk_names(Walk walk,
                                        BucketId bucket,
                                        BucketName name,
                                        bool tombstones) {
  bool all = true;
  ScanOptions options{.limit = kPage, .tombstones = tombstones, .summary = true, .versions = true};
  for (bool more = true; more;) {
    if (&engine_.mounts.now() != &walk.set) {
      co_return Error(Errc::not_ready, "the mountpaths have changed");
    }
    auto read = [&] { return walk.mountpath.index().scan(bucket, options); };
    CO_TRY(ScanPage page, co_await walk.mountpath.pool().run(std::move(read)));
    more = page.more;
    options.after = std::move(page.next);
    for (ScanEntry& entry : page.entries) {
      Key key = make_key(bucket, {name, std::move(entry.key)});
      if (is_misplaced(walk.set, walk.mountpath, key)) {
        const std::uint64_t size = tombstones ? 0 : entry.record.info.size;
        const Status moved = co_await move_name(std::move(key));
        if (moved && !tombstones) {
          note([size](ResilverProgress& p) { ++p.names_moved, p.bytes_moved += size; });
        }
        if (!moved) {
          all = false;
          leave_behind(moved.error());
        }
      }
      if (!tombstones) note([](ResilverProgress& p) { ++p.names_seen; });
    }
  }
  co_return all;
}

Task<Status> Resilver::move_name(Key key) {
  const NameGuard guard = co_await engine_.lock_in_place(key);
  co_return co_await bring_all(engine_, key, Leave::kSoon);
}

/// Said once a round.
void Resilver::leave_behind(const Error& why) {
  bool first = false;
  note([&](ResilverProgress& p) {
    first = p.names_left++ == 0;
    p.why = why.what();
  });
  if (first) LOG_WARN("names stay on the wrong mountpath", "why", why.what());
}

namespace {

/// Content that references have, under its own name at another mountpath.
Status copy_content(const Mountpath& from,
                    Mountpath& to,
                    const std::string& dir,
                    const std::string& path) {
  TRY(const auto file, open_object_file(from, dir, path));
  CHECK_OK(to.check_space(file->meta.info.size));
  TRY(WorkFile work, WorkFile::create(to));
  CHECK_OK(copy_bytes(file->fd.get(), work.fd(), file->meta.info.size));
  TRY(const std::string xattr, write_side(to, dir, file->meta));
  CHECK_OK(disk::set_xattr(work.fd(), kMetaXattr, xattr));
  CHECK_OK(disk::sync_file(work.fd()));
  CHECK_OK(disk::make_parent_dirs(to.root(), path));
  CHECK_OK(disk::rename_beneath(to.root(), work.path(), path));
  work.published();
  return {};
}

struct Content {
  std::string path;
  std::string key;  // whose place it has
  Version meta_version;
};

/// All of a bucket on a mountpath; few at any time.
Result<std::vector<Content>> contents_on(const Mountpath& mountpath, const std::string& dir) {
  std::vector<Content> found;
  std::mutex mutex;
  auto take = [&](const std::string& path) -> Status {
    auto file = open_object_file(mountpath, dir, path);
    if (!file && file.error() == Errc::not_found) return {};
    if (!file) return std::move(file).error();
    const StoredMeta& meta = (*file)->meta;
    const Reference named{meta.key, meta.info.content_version};
    if (content_path(dir, named) != path) return {};  // nobody reads it by that
    const std::lock_guard lock(mutex);
    found.push_back({path, meta.key, meta.info.meta_version});
    return {};
  };
  CHECK_OK(walk_files(mountpath.root(), layout::old_dir(dir), take));
  return found;
}

}  // namespace

Task<Result<bool>> Resilver::walk_contents(Walk walk, BucketId bucket, BucketName name) {
  const std::string dir = dir_of(name);
  Mountpath& from = walk.mountpath;
  auto look = [&] { return contents_on(from, dir); };
  CO_TRY(const auto contents, from.noted(co_await from.pool().run(std::move(look))));
  for (const Content& content : contents) {
    const Key key = make_key(bucket, {name, content.key});
    Mountpath& to = walk.set.place_of(key.digest);
    if (&to == &from) continue;
    const auto held = engine_.mounts.hold(to);
    if (!held) co_return gone();
    const NameGuard guard = co_await engine_.lock_in_place(key);
    auto copy = [&] { return copy_content(from, to, dir, content.path); };
    Status moved = co_await to.pool().run(std::move(copy));
    if (!moved && moved.error() == Errc::not_found) continue;  // it is needed no more
    CO_CHECK_OK(std::move(moved));
    CO_CHECK_OK(co_await sync_mountpath(to));
    auto drop = [&]() -> Status {
      Status gone = disk::unlink_beneath(from.root(), content.path);
      remove_side(from, dir, content.key, content.meta_version);
      if (gone || gone.error() != Errc::not_found) return gone;
      return disk::unlink_beneath(to.root(), content.path);  // dropped while it was copied
    };
    CO_CHECK_OK(co_await from.pool().run(std::move(drop)));
  }
  co_return true;
}

Task<Result<bool>> Resilver::walk_uploads(Walk walk, BucketId bucket, BucketName name) {
  Mountpath& from = walk.mountpath;
  auto look = [&] { return uploads_in(from, name); };
  CO_TRY(const auto uploads, from.noted(co_await from.pool().run(std::move(look))));
  for (const auto& [upload, text] : uploads) {
    const Key key = make_key(bucket, {name, text});
    Mountpath& to = walk.set.place_of(key.digest);
    if (&to == &from) continue;
    const auto held = engine_.mounts.hold(to);
    if (!held) co_return gone();
    const auto guard = co_await engine_.locks.lock(upload_hash(upload));
    CO_CHECK_OK(co_await move_upload(from, to, bucket, name, upload));
  }
  co_return true;
}

/// Until it is gone from here a slice lies at both, and any of the two may be read.
Task<Result<bool>> Resilver::walk_slices(Walk walk, BucketId bucket, BucketName name) {
  Mountpath& from = walk.mountpath;
  std::string after;
  for (bool more = true; more;) {
    auto look = [&] { return page_of_slices(from, bucket, name, after, kPage); };
    CO_TRY(SlicePage page, from.noted(co_await from.pool().run(std::move(look))));
    more = page.more;
    after = std::move(page.next);
    for (const HeldSlice& slice : page.slices) {
      const Key home = home_of_slices(bucket, name, slice.content);
      Mountpath& to = walk.set.place_of(home.digest);
      if (&to == &from) continue;
      const auto held = engine_.mounts.hold(to);
      if (!held) co_return gone();
      const std::string path = slice_path_of(home, slice.content, slice.index);
      auto copy = [&] { return copy_slice(from, to, path); };
      Status moved = co_await to.pool().run(std::move(copy));
      if (!moved && moved.error() == Errc::not_found) continue;  // it is needed no more
      CO_CHECK_OK(std::move(moved));
      CO_CHECK_OK(co_await sync_mountpath(to));
      auto drop = [&] { return disk::unlink_beneath(from.root(), path); };
      const Status dropped = co_await from.pool().run(std::move(drop));
      if (!dropped && dropped.error() != Errc::not_found) co_return dropped.error();
      note([&](ResilverProgress& p) { p.bytes_moved += slice.bytes; });
    }
  }
  co_return true;
}

/// Nothing is left to do: that is durable, and then everybody knows it.
Task<Status> Resilver::finish(const MountpathSet& set, std::uint64_t copies_left) {
  for (const Mountpath* mountpath : set.readable) {
    const auto held = engine_.mounts.hold(*mountpath);
    if (!held) co_return gone();
    CO_CHECK_OK(co_await sync_mountpath(*held));
  }
  auto settle = [this, &set, copies_left]() -> Status {
    return engine_.mounts.change([this, &set, copies_left](MountpathTable& table) -> Status {
      if (&engine_.mounts.now() != &set) {
        return Error(Errc::not_ready, "the mountpaths have changed");
      }
      if (engine_.copies_left != copies_left) {
        return Error(Errc::not_ready, "a copy was not made meanwhile");
      }
      for (MountpathEntry& entry : table.entries) {
        using State = MountpathEntry::State;
        if (entry.state == State::kDisabling) entry.state = State::kDisabled;
        if (entry.state == State::kDetaching) entry.state = State::kDetached;
      }
      table.settle();
      return {};
    });
  };
  CO_CHECK_OK(co_await engine_.chores.run(std::move(settle)));
  note([&](ResilverProgress& p) {
    p.running = false;
    p.ended_ns = engine_.clock.unix_ns();
  });
  const ResilverProgress done = progress();
  LOG_INFO("every name lies on its mountpath", "moved", done.names_moved, "bytes",
           done.bytes_moved);
  co_return Status{};
}

}  // namespace aisfs::store
