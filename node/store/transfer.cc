// SPDX-License-Identifier: MIT
// Store: what other targets ask of names here.
#include <map>

#include "common/model/version_key.h"
#include "node/store/engine.h"
#include "node/store/file_body.h"
#include "node/store/upload.h"

namespace aisfs::store {
namespace {

constexpr std::size_t kKeptAtOnce = 1000;

NameState state_of(std::string key, const IndexRecord& record) {
  return {.key = std::move(key),
          .kind = static_cast<NameState::Kind>(record.kind),
          .content_version = record.info.content_version,
          .meta_version = record.info.meta_version,
          .size = record.info.size};
}

NamePage page_of(ScanPage scanned) {
  NamePage page{.names = {}, .more = scanned.more, .next = std::move(scanned.next)};
  for (ScanEntry& entry : scanned.entries) {
    page.names.push_back(state_of(std::move(entry.key), entry.record));
  }
  return page;
}

/// What is kept of the key here, unless something newer is known.
Status add_kept(const Index& index, const Key& key, std::map<std::string, NameState>& all) {
  ScanOptions kept{.prefix = version_key(key.key(), ""),
                   .limit = kKeptAtOnce,
                   .summary = true,
                   .versions = true};
  for (bool more = true; more;) {
    TRY(ScanPage page, index.scan(key.bucket, kept));
    more = page.more;
    kept.after = page.next;
    for (ScanEntry& entry : page.entries) {
      NameState& known = all[entry.key];
      if (known.meta_version >= entry.record.info.meta_version) continue;
      known = state_of(std::move(entry.key), entry.record);
    }
  }
  return {};
}

Result<std::vector<NameState>> all_states(const Engine& engine,
                                          const Key& key,
                                          const std::optional<IndexRecord>& now) {
  std::vector<NameState> states;
  if (now) states.push_back(state_of(key.key(), *now));
  std::map<std::string, NameState> kept;
  const MountpathSet& set = engine.mounts.now();
  for (const Mountpath* mountpath : set.readable) {
    if (set.settled && mountpath != &set.place_of(key.digest)) continue;
    CHECK_OK(add_kept(mountpath->index(), key, kept));
  }
  for (auto& [_, state] : kept) states.push_back(std::move(state));
  return states;
}

/// On a thread of the disk. `known`: the file, if it is open already; else it is opened for this
/// one reader: it is about to be forgotten here, or was just written.
Result<ObjectCopy> read_copy(Engine& engine,
                             const Key& key,
                             const IndexRecord& record,
                             std::shared_ptr<OpenFile> known,
                             ReadPins::Pin pin) {
  std::shared_ptr<OpenFile> file = known;
  if (!file) {
    TRY(file, engine.open_file_now(key, record, std::move(pin)));
  }
  const ByteRange all{0, file->meta.info.size};
  auto body = std::make_unique<FileBody>(engine, file, all, VerifyRead::kFirst);
  // Damage in the first block is told before anything is sent.
  CHECK_OK(body->load_first());
  if (!known) return ObjectCopy{file->meta, std::move(body)};
  TRY(auto meta, read_meta(*file->mountpath, dir_of(key.name.bucket), file->fd.get()));
  return ObjectCopy{std::move(meta), std::move(body)};
}

}  // namespace

Result<std::vector<NameState>> Store::states_of(const Key& key) {
  if (!engine_->ready) return Error(Errc::not_ready, "the target recovers its disks");
  TRY(const auto now, engine_->find_anywhere(key));
  CHECK_OK(engine_->check_known(key, now.record));
  return all_states(*engine_, key, now.record);
}

Result<std::vector<NameState>> Store::states_here(const Key& key) {
  if (!engine_->ready) return Error(Errc::not_ready, "the target recovers its disks");
  TRY(const auto now, engine_->find_anywhere(key));
  return all_states(*engine_, key, now.record);
}

Task<Result<ObjectCopy>> Store::open_copy(Key key) {
  // A publish between the two looks makes them disagree: the next look sees one version.
  constexpr int kLooksMax = 3;
  for (int look = 0;; ++look) {
    CO_TRY(const auto record, engine_->find(key));
    if (!record) co_return Error(Errc::not_found, key.display());
    if (record->kind != IndexRecord::Kind::kObject) {
      co_return Error(Errc::unsupported, key.display() + " is a reference");
    }
    const Version version = record->info.content_version;
    auto pin = engine_->pins.pin(version);  // before the path is looked at
    const auto known = engine_->files.find(version);
    auto read = [&] { return read_copy(*engine_, key, *record, known, std::move(pin)); };
    const auto mountpath = known ? known->mountpath : engine_->hold_place(key);
    auto copy = co_await mountpath->pool().run(std::move(read));
    if (!copy) {
      const bool gone = copy.error() == Errc::not_found;
      if (look < kLooksMax && (gone || copy.error() == Errc::stale_map)) continue;
      if (gone) co_return Error(Errc::corrupt, "the file of " + key.display() + " is gone");
      co_return std::move(copy).error();
    }
    StoredMeta& meta = copy->meta;
    if (meta.info.meta_version != record->info.meta_version && look < kLooksMax) {
      // The cache may have another file with the same content: of a name that was renamed to this
      // one when both had other targets, or this one had the first.
      engine_->files.forget(record->info.content_version);
      continue;
    }
    meta.key = key.key();  // of a kept version the file tells its first name
    co_return copy;
  }
}

Task<Result<StoredMeta>> Store::reference_here(Key key) {
  CO_TRY(const auto record, engine_->find(key));
  if (!record || !record->reference) co_return Error(Errc::not_found, key.display());
  StoredMeta meta{.bucket = key.bucket,
                  .key = key.key(),
                  .info = record->info,
                  .level = record->level,
                  .reference = record->reference};
  meta.hashes.root = record->root_hash;
  co_return meta;
}

Task<Result<bool>> Store::adopt(Key key, StoredMeta meta, BodySource& body) {
  PutOptions options{.level = meta.level, .size = meta.info.size};
  const auto upload = begin_put(std::move(key), std::move(options));
  CO_CHECK_OK(co_await upload->write_from(body));
  co_return co_await upload->adopt(std::move(meta));
}

std::size_t Store::mountpath_count() const { return engine_->mounts.opened().size(); }

namespace {

std::shared_ptr<Mountpath> at(const Engine& engine, std::size_t index) {
  const auto all = engine.mounts.opened();
  return index < all.size() ? all[index] : nullptr;
}

}  // namespace

std::vector<std::pair<BucketId, BucketName>> Store::buckets_on(std::size_t mountpath) const {
  const auto mp = at(*engine_, mountpath);
  if (!mp) return {};
  const auto known = mp->buckets();
  return {known.begin(), known.end()};
}

Task<Result<NamePage>> Store::names_on(std::size_t mountpath,
                                       BucketId bucket,
                                       NamesOptions options) {
  const auto mp = at(*engine_, mountpath);
  if (!mp) co_return Error(Errc::not_ready, "the mountpaths have changed");
  ScanOptions scan{.after = std::move(options.after),
                   .limit = options.limit,
                   .tombstones = options.tombstones,
                   .summary = true,
                   .versions = true};
  const MountpathSet& set = engine_->mounts.now();
  if (set.settled) scan.only = engine_->without_copies(set, *mp, bucket);
  auto read = [&mp, bucket, &scan] { return mp->index().scan(bucket, scan); };
  CO_TRY(ScanPage page, co_await mp->pool().run(std::move(read)));
  co_return page_of(std::move(page));
}

}  // namespace aisfs::store
