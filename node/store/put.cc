// SPDX-License-Identifier: MIT
#include "node/store/put.h"

#include <fcntl.h>

#include <algorithm>
#include <cstring>

#include "common/async/background.h"
#include "common/base/text.h"
#include "common/disk/posix.h"
#include "common/model/ino.h"
#include "node/store/attr_change.h"
#include "node/store/conditions.h"
#include "node/store/repeated_put.h"
#include "node/store/scrub.h"
#include "node/store/versions.h"

namespace aisfs::store {
namespace {

// The kernel starts to write back a large upload while it still arrives, so that the sync at its
// end, which others wait for too, is short.
constexpr std::uint64_t kWritebackBytes = 8_MiB;
// The least that background work has written so.
constexpr std::uint64_t kKickedMin = 128_KiB;
// Larger bodies are synced on their own before they meet the group's barrier.
constexpr std::uint64_t kOwnSyncBytes = 4_MiB;

// More than this is gathered in a block of memory that uploads pass on.
constexpr std::size_t kSmallBytes = 64_KiB;

// A larger body is not written twice.
constexpr std::uint64_t kIntentBytes = 64_KiB;

// Hashed and written in turn, so that the second reads what the first left in the core's cache.
constexpr std::size_t kSliceBytes = 256_KiB;

/// What is there stays of the object, but for its bytes and what they say.
ObjectInfo info_to_be(const PutOptions& options,
                      const Body& body,
                      std::uint64_t size,
                      const ObjectInfo* base) {
  ObjectInfo info = info_of_put(options, base);
  info.size = size;
  info.etag = options.etag;
  info.part_sizes = body.part_sizes.empty() ? options.part_sizes : body.part_sizes;
  return info;
}

}  // namespace

void add_sums(ObjectInfo& info, const BodyDigests::Sums& sums) {
  if (info.etag.empty()) {
    // S3 tools take a tag without '-' for the MD5 of the bytes and warn when it is not.
    info.etag = sums.md5.empty() ? to_hex(sums.hashes.root) + "-0" : to_hex(as_bytes(sums.md5));
  }
  for (auto& [name, value] : info.checksums) {
    const auto computed = sums.named.find(name);
    if (value.empty() && computed != sums.named.end()) value = computed->second;
  }
  std::erase_if(info.checksums, [](const auto& sum) { return sum.second.empty(); });
}

ObjectInfo info_of_put(const PutOptions& options,
                       const Body& body,
                       std::uint64_t size,
                       const ObjectInfo* base) {
  ObjectInfo info = info_to_be(options, body, size, base);
  add_sums(info, body.sums);
  return info;
}

Status PutMutation::stage() {
  if (body.work && body.work->root() != mp.root()) {
    return Error(Errc::not_ready, "the mountpath of " + key.display() + " has just gone");
  }
  CHECK_OK(mp.know_bucket(key.bucket, key.name.bucket));
  CHECK_OK(body.finish(mp));
  if (expected_root && *expected_root != body.sums.hashes.root) {
    return Error(Errc::bad_checksum, key.display() + ": the copy has other bytes than its source");
  }
  meta.hashes = body.sums.hashes;
  add_sums(meta.info, body.sums);
  TRY(std::string xattr, write_side(mp, dir, meta));
  CHECK_OK(disk::set_xattr(body.work->fd(), kMetaXattr, xattr));
  // What is replaced is kept by a link, which an intent that is carried out would not find.
  const bool keeps = key.versioning != Versioning::kOff || base_is_bad;
  // Intents are put in order by the content's version. What was renamed or got attributes since is
  // newer than that says, and may follow something whose content is newer.
  const bool in_order = meta.info.content_version == meta.info.meta_version;
  return barrier_after && !keeps && in_order ? announce(std::move(xattr)) : Status();
}

/// An intent makes the second barrier needless: after power loss it is carried out. One that holds a
/// small body makes the first one a write of the intent log. Without room for it both stay.
Status PutMutation::announce(std::string xattr) {
  const Version version = meta.info.content_version;
  StagedPutRecord record{.bucket = key.bucket, .key = key.key(), .content_version = version};
  const bool whole = body.whole.size() == body.size && body.size <= kIntentBytes;
  if (whole) {
    record.content_bytes = body.size;
    record.side = encode_meta(meta).side;
    record.xattr = std::move(xattr);
  } else {
    record.work_path = body.work->path();
  }
  const ConstBytes content = whole ? body.whole : ConstBytes();
  TRY(intent, mp.intents().append(LogType::kStagedPut, wire::encode(record), content, version));
  if (!intent.valid()) return {};
  barrier_after = false;
  const bool alone = whole && (!base || mp.is_durable(base->info));
  barrier = alone ? Barrier::kIntents : Barrier::kFiles;
  return {};
}

Status PutMutation::publish() {
  Status done = take_effect();
  if (!intent.valid()) return done;
  if (!done) {
    const Version version = meta.info.content_version;
    const StagedCancelledRecord record{key.bucket, key.key(), version};
    CHECK_OK(mp.intents().cancel(wire::encode(record)));
  }
  mp.settle(std::move(intent));
  return done;
}

Status PutMutation::take_effect() {
  std::optional<bool> there;
  if (base && base->kind == IndexRecord::Kind::kObject) there = base->escaped;
  PublishIntentRecord announced{.bucket = key.bucket,
                                .key = key.key(),
                                .content_version = meta.info.content_version,
                                .meta_version = meta.info.meta_version,
                                .escaped = there.value_or(false),
                                .work_path = body.work->path()};
  TRY(const auto effect, mp.announce(LogType::kPublishIntent, announced));
  if (base_is_bad && base) CHECK_OK(set_aside(mp, key, *base));
  TRY(const bool escaped, take_name(there));
  mp.index().put(key.bucket, key.key(), index_record_of(meta, escaped));
  if (base_is_bad) {
    // Who has just opened the damaged file must not take it for the new one, which has its version:
    // it counts as verified when it has been read.
    engine.files.forget(meta.info.content_version);
  } else {
    engine.verified.insert(meta.info.content_version);
    if (base && !base_is_kept) engine.drop_replaced(mp, key, *base);
  }
  if (!barrier_after) settle();
  return {};
}

/// The work file's name is the old file's now. Unless somebody has read it, it becomes a spare;
/// else it goes with the work file, and stays for those who have it open. What has the name of an
/// upload's part goes with the upload.
void PutMutation::settle() {
  // Asked again, after the exchange: a promise that comes later is kept by a barrier that covers it.
  const bool needed = swapped && !is_durable() && engine.is_promised(*base);
  const bool stays = swapped && body.work->path().starts_with(layout::kWorkDir);
  if (stays && !needed && !engine.pins.was_read(base->info.content_version)) {
    SpareFile old{key.bucket, body.work->release(), base->info.size};
    mp.remove_spares(mp.spares().give(std::move(old)));
  }
  body.work.reset();
}

/// Puts the work file under the object's name. True when that is its escaped path.
Result<bool> PutMutation::take_name(std::optional<bool> there) {
  swapped = there && swap_in(path_of(dir, key.key(), *there));
  if (swapped) return *there;
  TRY(const auto path, place(mp, dir, key.key(), there, body.work->path()));
  body.work->published();
  return path.escaped;
}

/// Exchanges the names of the new file and of the old one, which can be used again then. Only
/// where the old one is not needed after power loss: either the new one is durable before anybody
/// writes into the old one (under its name, or behind an intent), or neither was promised to survive.
/// (A rename over a name makes ext4 write new content out before it, an exchange does not.)
bool PutMutation::swap_in(const std::string& path) {
  if (base_is_kept || base_is_bad) return false;
  const bool nothing_promised = !barrier_before && !engine.is_promised(*base);
  if (!is_durable() && !nothing_promised) return false;
  return disk::exchange_beneath(mp.root(), body.work->path(), path).ok();
}

Status Body::add(Mountpath& mp, ConstBytes bytes, Durability level) {
  CHECK_OK(mp.check_space(bytes.size()));
  if (!work) {
    auto made = spares_of ? WorkFile::reuse(mp, *spares_of, std::max(expected, bytes.size()), stale)
                          : WorkFile::create(mp);
    if (!made) return std::move(made).error();
    work.emplace(*std::move(made));
  }
  while (!bytes.empty()) {
    const ConstBytes slice = bytes.first(std::min(bytes.size(), kSliceBytes));
    digests.update(slice);
    CHECK_OK(disk::pwrite_all(work->fd(), slice, size));
    size += slice.size();
    bytes = bytes.subspan(slice.size());
  }
  if (level >= Durability::kData && size - kicked >= kWritebackBytes) kick();
  return {};
}

void Body::kick() {
  ::sync_file_range(work->fd(), static_cast<off_t>(kicked), static_cast<off_t>(size - kicked),
                    SYNC_FILE_RANGE_WRITE);
  kicked = size;
}

Status Body::finish(Mountpath& mp) {
  if (finished) return {};
  if (size == 0) whole = rest;
  CHECK_OK(add(mp, rest, Durability::kNone));
  rest = {};
  // A barrier comes for many files of a walk at once, and readers would wait behind what it writes.
  // Small ones are written faster together.
  if (is_background_thread() && work && size - kicked >= kKickedMin) kick();
  if (stale > size && ::ftruncate(work->fd(), static_cast<off_t>(size)) != 0) {
    return errno_error("ftruncate");
  }
  TRY(sums, digests.finish());
  finished = true;
  return {};
}

Status Body::sync_if_large() {
  return size >= kOwnSyncBytes ? sync() : Status();
}

Status Body::sync() { return disk::sync_data(work->fd()); }

Status copy_bytes(int from, int to, std::uint64_t size) {
  const auto buffer = std::make_unique_for_overwrite<std::byte[]>(kHashBlockBytes);
  for (std::uint64_t at = 0; at < size; at += kHashBlockBytes) {
    const MutableBytes part(buffer.get(), std::min<std::uint64_t>(kHashBlockBytes, size - at));
    CHECK_OK(disk::pread_exactly(from, part, at));
    CHECK_OK(disk::pwrite_all(to, part, at));
  }
  return {};
}

Task<Status> bring_body(Body& body, Mountpath& to) {
  if (!body.work || body.work->root() == to.root()) co_return Status{};
  auto bring = [&body, &to]() -> Status {
    CHECK_OK(to.check_space(body.size));
    TRY(WorkFile work, WorkFile::create(to));
    CHECK_OK(copy_bytes(body.work->fd(), work.fd(), body.size));
    body.work.reset();
    body.work.emplace(std::move(work));
    body.stale = 0;
    return {};
  };
  co_return co_await to.pool().run(std::move(bring));
}

Task<Result<std::size_t>> fill(BodySource& source, MutableBytes into) {
  std::size_t used = 0;
  while (used < into.size()) {
    CO_TRY(const std::size_t n, co_await source.read(into.subspan(used)));
    if (n == 0) break;
    used += n;
  }
  co_return used;
}

ExpectedChecksums all_checksums(ExpectedChecksums expected, const PutOptions& options) {
  for (const auto& [name, value] : options.checksums) {
    if (value.empty()) expected.named.try_emplace(name, "");
  }
  return expected;
}

namespace {

class UploadImpl final : public Upload {
 public:
  UploadImpl(Engine& engine, Key key, PutOptions options, ExpectedChecksums expected)
      : engine_(engine),
        held_(engine.hold_place(key)),
        mp_(*held_),
        key_(std::move(key)),
        options_(std::move(options)),
        body_(options_.want_md5, all_checksums(std::move(expected), options_)) {
    // One byte more than promised shows a body that is too long without another round.
    grow(options_.size ? std::min<std::uint64_t>(*options_.size + 1, kHashBlockBytes) : 16_KiB);
    body_.spares_of = key_.bucket;
    body_.expected = options_.size.value_or(0);
  }

  ~UploadImpl() override {
    if (!body_.work) return;
    auto work = std::make_shared<WorkFile>(std::move(*body_.work));
    mp_.pool().post([work, held = held_] {});
  }

  MutableBytes space() override {
    if (used_ == capacity_) grow(std::min<std::size_t>(capacity_ * 4, kHashBlockBytes));
    return {buffer_.get() + used_, capacity_ - used_};
  }

  Task<Status> filled(std::size_t count) override {
    used_ += count;
    if (options_.size && size() > *options_.size) co_return wrong_size();
    if (used_ == kHashBlockBytes) co_return co_await flush();
    co_return Status{};
  }

  Task<Status> write(ConstBytes bytes) override {
    while (!bytes.empty()) {
      const MutableBytes to = space();
      const std::size_t n = std::min(to.size(), bytes.size());
      std::memcpy(to.data(), bytes.data(), n);
      CO_CHECK_OK(co_await filled(n));
      bytes = bytes.subspan(n);
    }
    co_return Status{};
  }

  Task<Status> write_from(BodySource& source) override {
    while (true) {
      CO_TRY(const std::size_t n, co_await source.read(space()));
      if (n == 0) break;
      CO_CHECK_OK(co_await filled(n));
    }
    if (options_.size && size() != *options_.size) co_return wrong_size();
    co_return Status{};
  }

  std::uint64_t size() const override { return body_.finished ? body_.size : body_.size + used_; }

  Task<Result<ObjectInfo>> commit() override {
    // A small body goes to the disk in the same hop that publishes it.
    if (body_.work) CO_CHECK_OK(co_await prepare());
    co_return co_await publish();
  }

  Task<Status> prepare() override {
    hand_over();
    auto finish = [this]() -> Status {
      CHECK_OK(body_.finish(mp_));
      return options_.level >= Durability::kData ? body_.sync_if_large() : Status();
    };
    co_return mp_.noted(co_await mp_.pool().run(std::move(finish)));
  }

  Task<Result<ObjectInfo>> publish() override {
    if (options_.size && size() != *options_.size) co_return wrong_size();
    if (options_.before_publish) CO_CHECK_OK(options_.before_publish());
    const std::uint64_t total = size();
    hand_over();
    co_return co_await publish_body(engine_, key_, options_, body_, total);
  }

  Task<Result<bool>> adopt(StoredMeta meta, Adopt what) override {
    if (size() != meta.info.size) co_return wrong_size();
    if (body_.work) CO_CHECK_OK(co_await prepare());
    hand_over();
    co_return co_await publish_copy(engine_, key_, std::move(meta), body_, what);
  }

  Task<void> abort() override {
    if (!body_.work) co_return;
    auto drop = [this] {
      body_.work.reset();
      return 0;
    };
    co_await mp_.pool().run(std::move(drop));
  }

 private:
  Error wrong_size() const {
    return Error(Errc::invalid_argument, "the body has " + std::to_string(size()) +
                                             " bytes or more, " + std::to_string(*options_.size) +
                                             " were promised");
  }

  void grow(std::size_t capacity) {
    capacity = std::max<std::size_t>(capacity, 1);
    if (capacity <= capacity_) return;
    const bool small = capacity <= kSmallBytes;
    auto larger = small ? BlockBuffers::small(capacity) : engine_.blocks.take();
    if (used_ > 0) std::memcpy(larger.get(), buffer_.get(), used_);
    buffer_ = std::move(larger);
    capacity_ = small ? capacity : kHashBlockBytes;
  }

  /// The body takes what is still in the buffer along.
  void hand_over() {
    if (body_.finished) return;
    body_.rest = {buffer_.get(), used_};
  }

  Task<Status> flush() {
    auto add = [this] { return body_.add(mp_, {buffer_.get(), used_}, options_.level); };
    CO_CHECK_OK(mp_.noted(co_await mp_.pool().run(std::move(add))));
    used_ = 0;
    co_return Status{};
  }

  Engine& engine_;
  const std::shared_ptr<Mountpath> held_;
  Mountpath& mp_;  // the name's place when it began
  const Key key_;
  const PutOptions options_;
  Body body_;
  BlockBuffers::Buffer buffer_;
  std::size_t capacity_ = 0, used_ = 0;
};

}  // namespace

StoredMeta meta_of_put(const Key& key,
                       const PutOptions& options,
                       const Body& body,
                       const IndexRecord* base,
                       std::uint64_t size,
                       Version version,
                       std::int64_t now_ns) {
  const ObjectInfo* old = base != nullptr ? &base->info : nullptr;
  StoredMeta meta{
      .bucket = key.bucket, .key = key.key(), .info = info_to_be(options, body, size, old)};
  meta.info.ino = old != nullptr ? old->ino : options.ino.value_or(new_ino());
  meta.info.content_version = meta.info.meta_version = version;
  meta.info.modified_ns = now_ns;
  meta.level = options.level;
  return meta;
}

Task<Result<ObjectInfo>> publish_body(Engine& engine,
                                      Key key,
                                      const PutOptions& options,
                                      Body& body,
                                      std::uint64_t size) {
  CO_TRY(const auto guard, co_await engine.lock(key));
  CO_CHECK_OK(co_await bring_body(body, engine.mountpath_of(key)));
  Result<std::optional<IndexRecord>> found = std::optional<IndexRecord>();
  const bool whole = !options.conditions.any() && key.versioning == Versioning::kOff;
  if (options.keep_attrs) {
    found = co_await engine.find_whole(key);
  } else {
    found = whole ? engine.find_to_replace(key) : engine.find(key);
  }
  CO_TRY(const auto base, std::move(found));
  const IndexRecord* there = base ? &*base : nullptr;
  CO_TRY(auto repeated, co_await find_repeated(engine, key, options, body, size));
  if (repeated) co_return *std::move(repeated);
  CO_CHECK_OK(
      check_conditions(options.conditions, there ? &there->info : nullptr, Access::kWrite));
  co_return co_await publish_over(engine, key, options, body, size, base);
}

Task<Result<ObjectInfo>> publish_over(Engine& engine,
                                      const Key& key,
                                      const PutOptions& options,
                                      Body& body,
                                      std::uint64_t size,
                                      const std::optional<IndexRecord>& base) {
  const IndexRecord* there = base ? &*base : nullptr;
  CO_TRY(const Version version, engine.versions.next());
  PutMutation put(engine, key, body, base);
  const bool versions = key.versioning != Versioning::kOff;
  if (versions) {
    CO_TRY(put.base_is_kept, co_await keep_version(engine, key, base));
  }
  put.meta = meta_of_put(key, options, body, there, size, version, engine.clock.unix_ns());
  stamp_version(put.meta.info, key.versioning, version);
  std::optional<Durability> replaced;
  if (there) replaced = options.lower_level ? level_to_keep(put.mp, *there) : there->level;
  set_barriers(put, options.level, replaced);
  put.flush_soon = options.lower_level && options.level == Durability::kNone;
  CO_CHECK_OK(co_await put.mp.committer().run(put));
  if (versions) CO_CHECK_OK(co_await drop_null_versions(engine, key, options.level));
  co_return std::move(put.meta.info);
}

std::unique_ptr<Upload> Store::begin_put(Key key, PutOptions options, ExpectedChecksums expected) {
  return std::make_unique<UploadImpl>(*engine_, std::move(key), std::move(options),
                                      std::move(expected));
}

Task<Result<ObjectInfo>> Store::put(Key key,
                                    PutOptions options,
                                    ExpectedChecksums expected,
                                    BodySource& body) {
  const auto upload = begin_put(std::move(key), std::move(options), std::move(expected));
  CO_CHECK_OK(co_await upload->write_from(body));
  co_return co_await upload->commit();
}

}  // namespace aisfs::store
