// SPDX-License-Identifier: MIT
// Store: multipart uploads.
#include <fcntl.h>

#include <algorithm>

#include "common/base/hash.h"
#include "common/base/text.h"
#include "common/disk/posix.h"
#include "node/store/file_walk.h"
#include "node/store/multipart.h"

namespace aisfs::store {
namespace {

constexpr std::uint32_t kPartsMax = 10'000;  // S3's
// How long a second complete gets the first one's answer.
constexpr std::int64_t kFinishedLifeNs = 86'400'000'000'000;

PutOptions options_of(const UploadRecord& record) {
  PutOptions put{.level = record.level};
  put.content_type = record.content_type;
  put.headers = record.headers;
  put.user = record.user;
  put.xattrs = record.xattrs;
  put.checksums = record.checksums;
  put.posix = record.posix;
  return put;
}

UploadRecord record_of(const Key& key, PutOptions put, std::string initiator, std::int64_t now) {
  UploadRecord record{.bucket = key.bucket,
                      .key = key.key(),
                      .initiator = std::move(initiator),
                      .started_ns = now,
                      .level = put.level};
  record.content_type = std::move(put.content_type);
  record.headers = std::move(put.headers);
  record.user = std::move(put.user);
  record.xattrs = std::move(put.xattrs);
  record.checksums = std::move(put.checksums);
  record.posix = std::move(put.posix);
  return record;
}

/// The upload must be one of this key, under way.
Result<UploadRecord> load_for(const UploadFolder& folder, const Key& key) {
  TRY(auto record, folder.load());
  TRY(const auto done, folder.finished());
  if (done || record.key != key.key() || record.bucket != key.bucket) {
    return Error(Errc::not_found, "there is no such upload of \"" + key.display() + "\"");
  }
  return record;
}

/// Whose folders are on a mountpath.
Result<std::vector<std::string>> upload_ids(Mountpath& mp, const BucketName& bucket) {
  std::vector<std::string> ids;
  std::mutex mutex;
  const std::string dir = layout::uploads_dir(dir_of(bucket));
  auto note = [&](const std::string& path) -> Status {
    if (!path.ends_with("/upload")) return {};
    std::lock_guard lock(mutex);
    ids.push_back(path.substr(dir.size() + 1, 32));
    return {};
  };
  CHECK_OK(walk_files(mp.root(), dir, note));
  return ids;
}

/// What a mountpath has of uploads of a bucket; forgets what was finished long ago.
Result<std::vector<UploadInfo>> uploads_on(Mountpath& mp,
                                           const BucketName& bucket,
                                           BucketId id,
                                           std::int64_t now_ns) {
  TRY(const auto ids, upload_ids(mp, bucket));
  std::vector<UploadInfo> out;
  for (const std::string& upload : ids) {
    UploadFolder folder(mp, bucket, upload);
    TRY(const auto done, folder.finished());
    if (done && now_ns - done->finished_ns > kFinishedLifeNs) CHECK_OK(folder.remove());
    if (done) continue;
    auto record = folder.load();
    if (!record && record.error() == Errc::not_found) continue;  // it has moved since
    if (!record) return std::move(record).error();
    if (record->bucket != id) continue;
    out.push_back(
        {std::move(record->key), upload, record->started_ns, std::move(record->initiator)});
  }
  return out;
}

/// The parts in one file, to be sent elsewhere.
class WorkFileSource final : public BodySource {
 public:
  WorkFileSource(Mountpath& mp, int fd, std::uint64_t size) : mp_(mp), fd_(fd), size_(size) {}

  Task<Result<std::size_t>> read(MutableBytes into) override {
    const MutableBytes part = into.first(std::min<std::uint64_t>(into.size(), size_ - at_));
    if (part.empty()) co_return std::size_t{0};
    auto load = [this, part] { return disk::pread_exactly(fd_, part, at_); };
    CO_CHECK_OK(co_await mp_.pool().run(std::move(load)));
    at_ += part.size();
    co_return part.size();
  }
  std::optional<std::uint64_t> remaining() const override { return size_ - at_; }
  bool rewind() override {
    at_ = 0;
    return true;
  }

 private:
  Mountpath& mp_;
  const int fd_;
  const std::uint64_t size_;
  std::uint64_t at_ = 0;
};

}  // namespace

Result<std::vector<std::pair<std::string, std::string>>> uploads_in(Mountpath& mp,
                                                                    const BucketName& bucket) {
  TRY(const auto ids, upload_ids(mp, bucket));
  std::vector<std::pair<std::string, std::string>> all;
  for (const std::string& id : ids) {
    auto record = UploadFolder(mp, bucket, id).load();
    if (record) all.emplace_back(id, std::move(record->key));
  }
  return all;
}

std::uint64_t upload_hash(const std::string& upload) { return xxh64(as_bytes(upload), 1); }

Task<std::shared_ptr<Mountpath>> find_upload(Engine& engine, const Key& key, std::string upload) {
  const MountpathSet& set = engine.mounts.now();
  if (set.settled) co_return engine.hold_place(key);
  for (Mountpath* mountpath : set.readable) {
    const auto held = engine.mounts.hold(*mountpath);
    if (!held) continue;
    UploadFolder folder(*held, key.name.bucket, upload);
    auto look = [&] { return folder.load().ok(); };
    if (co_await held->pool().run(std::move(look))) co_return held;
  }
  co_return engine.hold_place(key);
}

Task<Status> move_upload(
    Mountpath& from, Mountpath& to, BucketId bucket, BucketName name, std::string upload) {
  const UploadFolder source(from, name, upload), destination(to, name, upload);
  const std::string scratch = std::string(layout::kDeletedDir) + "/up-" + upload;
  auto copy = [&]() -> Status {
    CHECK_OK(to.know_bucket(bucket, name));
    CHECK_OK(remove_tree(to.root(), scratch));
    CHECK_OK(disk::make_dirs(to.root(), scratch));
    auto one = [&](const std::string& path) -> Status {
      TRY(const UniqueFd in, disk::open_beneath(from.root(), path, O_RDONLY));
      TRY(const auto stat, disk::stat_of(in.get()));
      CHECK_OK(to.check_space(stat.size));
      const std::string file = scratch + path.substr(path.rfind('/'));
      TRY(const UniqueFd out, disk::open_beneath(to.root(), file, O_CREAT | O_EXCL | O_RDWR));
      CHECK_OK(copy_bytes(in.get(), out.get(), stat.size));
      return disk::sync_file(out.get());
    };
    CHECK_OK(walk_files(from.root(), source.path(), one));
    CHECK_OK(remove_tree(to.root(), destination.path()));
    CHECK_OK(disk::make_parent_dirs(to.root(), destination.path()));
    return disk::rename_beneath(to.root(), scratch, destination.path());
  };
  CO_CHECK_OK(co_await to.pool().run(std::move(copy)));
  CO_CHECK_OK(co_await sync_mountpath(to));
  auto drop = [&] { return remove_tree(from.root(), source.path()); };
  co_return co_await from.pool().run(std::move(drop));
}

Task<Result<std::string>> Store::create_upload(Key key, PutOptions options, std::string initiator) {
  const std::string upload = to_hex(as_bytes(random_bytes(16)));
  const auto pass = co_await engine_->gate.enter();  // who moves uploads shall find it
  const auto held = engine_->hold_place(key);
  Mountpath& mp = *held;
  const UploadRecord record =
      record_of(key, std::move(options), std::move(initiator), engine_->clock.unix_ns());
  auto create = [&]() -> Status {
    CHECK_OK(mp.know_bucket(key.bucket, key.name.bucket));
    CHECK_OK(mp.check_space(0));
    return UploadFolder(mp, key.name.bucket, upload).create(record);
  };
  CO_CHECK_OK(co_await mp.pool().run(std::move(create)));
  co_return upload;
}

Task<Result<UploadPart>> Store::put_part(Key key,
                                         std::string upload,
                                         std::uint32_t number,
                                         ExpectedChecksums expected,
                                         BodySource& source) {
  if (number < 1 || number > kPartsMax) {
    co_return Error(Errc::invalid_argument, "part numbers are 1 to 10000");
  }
  const auto held = co_await find_upload(*engine_, key, upload);
  Mountpath& mp = *held;
  auto load = [&] { return load_for(UploadFolder(mp, key.name.bucket, upload), key); };
  CO_TRY(const auto record, co_await mp.pool().run(std::move(load)));
  Body body(true, expected);
  const auto buffer = std::make_unique_for_overwrite<std::byte[]>(kHashBlockBytes);
  while (true) {
    CO_TRY(const std::size_t n, co_await fill(source, {buffer.get(), kHashBlockBytes}));
    auto add = [&] { return body.add(mp, {buffer.get(), n}, record.level); };
    if (n > 0 || !body.work) CO_CHECK_OK(co_await mp.pool().run(std::move(add)));
    if (n < kHashBlockBytes) break;
  }
  const auto guard = co_await engine_->locks.lock(upload_hash(upload));
  const auto there = co_await find_upload(*engine_, key, upload);  // it may have moved
  CO_CHECK_OK(co_await bring_body(body, *there));
  UploadFolder folder(*there, key.name.bucket, upload);
  PartRecord part;
  auto keep = [&]() -> Status {
    TRY(const auto still, load_for(folder, key));  // it may have been aborted meanwhile
    CHECK_OK(body.finish(*there));
    if (still.level >= Durability::kData) CHECK_OK(body.sync());
    part.part = {.number = number,
                 .size = body.size,
                 .etag = to_hex(as_bytes(body.sums.md5)),
                 .modified_ns = engine_->clock.unix_ns(),
                 .checksums = body.sums.named};
    part.md5 = body.sums.md5;
    part.hashes = body.sums.hashes;
    return folder.put_part(part, body);
  };
  CO_CHECK_OK(co_await there->pool().run(std::move(keep)));
  co_return std::move(part.part);
}

Task<Result<ObjectInfo>> Store::complete_upload(Key key,
                                                std::string upload,
                                                std::vector<CompletedPart> wanted,
                                                Conditions conditions,
                                                Publish publish) {
  const auto guard = co_await engine_->locks.lock(upload_hash(upload));
  const auto began = co_await find_upload(*engine_, key, upload);
  const auto held = engine_->hold_place(key);
  Mountpath& mp = *held;
  if (held != began) {  // the object is made where it will lie
    CO_CHECK_OK(co_await move_upload(*began, mp, key.bucket, key.name.bucket, upload));
  }
  UploadFolder folder(mp, key.name.bucket, upload);
  auto look = [&]() -> Result<std::optional<FinishedUpload>> {
    TRY(const auto record, folder.load());
    if (record.key != key.key() || record.bucket != key.bucket) return Error(Errc::not_found);
    return folder.finished();
  };
  CO_TRY(auto done, co_await mp.pool().run(std::move(look)));
  if (done) co_return std::move(done->info);
  const ExpectedChecksums none;
  Body body(false, none);
  PutOptions put;
  auto join = [&]() -> Status {
    TRY(const auto record, folder.load());
    put = options_of(record);
    TRY(auto have, folder.parts());
    TRY(const auto parts, pick_parts(std::move(have), wanted));
    put.etag = etag_of_parts(parts);
    put.checksums = checksums_of_parts(put.checksums, parts);
    CHECK_OK(join_parts(body, mp, folder, parts));
    return put.level >= Durability::kData ? body.sync_if_large() : Status();
  };
  CO_CHECK_OK(co_await mp.pool().run(std::move(join)));
  put.conditions = std::move(conditions);
  Result<ObjectInfo> published(Errc::internal);
  if (publish) {
    put.size = body.size;
    put.part_sizes = body.part_sizes;
    WorkFileSource whole(mp, body.work->fd(), body.size);
    published = co_await publish(std::move(put), whole);
  } else {
    published = co_await publish_body(*engine_, key, put, body, body.size);
  }
  if (!published) {
    if (body.work) body.work->published();  // the first part's file stays for another try
    co_return std::move(published).error();
  }
  auto finish = [&] { return folder.finish({*published, engine_->clock.unix_ns()}); };
  CO_CHECK_OK(co_await mp.pool().run(std::move(finish)));
  co_return published;
}

Task<Status> Store::abort_upload(Key key, std::string upload) {
  const auto guard = co_await engine_->locks.lock(upload_hash(upload));
  const auto held = co_await find_upload(*engine_, key, upload);
  Mountpath& mp = *held;
  UploadFolder folder(mp, key.name.bucket, upload);
  auto drop = [&]() -> Status {
    TRY(const auto record, load_for(folder, key));
    return folder.remove();
  };
  co_return co_await mp.pool().run(std::move(drop));
}

Task<Result<PartList>> Store::list_parts(Key key,
                                         std::string upload,
                                         std::uint32_t after,
                                         std::uint32_t limit) {
  const auto held = co_await find_upload(*engine_, key, upload);
  Mountpath& mp = *held;
  UploadFolder folder(mp, key.name.bucket, upload);
  auto collect = [&]() -> Result<PartList> {
    TRY(const auto record, load_for(folder, key));
    TRY(auto parts, folder.parts());
    PartList list;
    for (PartRecord& part : parts) {
      if (part.part.number <= after) continue;
      if (list.parts.size() == limit) {
        list.more = true;
        break;
      }
      list.parts.push_back(std::move(part.part));
    }
    return list;
  };
  co_return co_await mp.pool().run(std::move(collect));
}

Task<Result<UploadList>> Store::list_uploads(BucketId bucket,
                                             std::string prefix,
                                             std::string after_key,
                                             std::string after_id,
                                             std::uint32_t limit) {
  std::vector<UploadInfo> all;
  for (const auto& mountpath : engine_->mounts.opened()) {
    auto collect = [&]() -> Result<std::vector<UploadInfo>> {
      const auto buckets = mountpath->buckets();
      const auto known = buckets.find(bucket);
      if (known == buckets.end()) return std::vector<UploadInfo>();
      return uploads_on(*mountpath, known->second, bucket, engine_->clock.unix_ns());
    };
    CO_TRY(auto some, co_await mountpath->pool().run(std::move(collect)));
    std::move(some.begin(), some.end(), std::back_inserter(all));
  }
  const auto order = [](const UploadInfo& u) { return std::tie(u.key, u.id); };
  std::sort(all.begin(), all.end(), [&](const auto& a, const auto& b) { return order(a) < order(b); });
  const auto same = [](const UploadInfo& a, const UploadInfo& b) { return a.id == b.id; };
  all.erase(std::unique(all.begin(), all.end(), same), all.end());  // one that moves
  UploadList list;
  for (UploadInfo& upload : all) {
    if (!upload.key.starts_with(prefix)) continue;
    // Without an id the marker is a key: all of its uploads are behind us.
    const bool behind = after_id.empty() ? !after_key.empty() && upload.key <= after_key
                                         : order(upload) <= std::tie(after_key, after_id);
    if (behind) continue;
    if (list.uploads.size() == limit) {
      list.more = true;
      break;
    }
    list.uploads.push_back(std::move(upload));
  }
  co_return list;
}

}  // namespace aisfs::store
