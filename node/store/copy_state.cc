// SPDX-License-Identifier: MIT
#include "node/store/copy_state.h"

#include "common/disk/posix.h"
#include "common/model/version_key.h"
#include "node/store/forget.h"
#include "node/store/put.h"
#include "node/store/rename.h"
#include "node/store/versions.h"

namespace aisfs::store {
namespace {

constexpr std::size_t kPage = 1000;
// As small as what fits into an intent: the copy is one write of the intent log then.
constexpr std::uint64_t kSmallBytes = 64_KiB;

/// The bytes of a file on one mountpath become a body on another.
Task<Status> copy_body(
    const OpenFile& file, Mountpath& from, Mountpath& to, Body& body, std::byte* buffer) {
  const std::uint64_t size = file.meta.info.size;
  auto check = [&] { return to.check_space(size); };  // not after the half of it has been copied
  CO_CHECK_OK(co_await to.pool().run(std::move(check)));
  for (std::uint64_t at = 0; at < size; at += kHashBlockBytes) {
    const MutableBytes part(buffer, std::min<std::uint64_t>(kHashBlockBytes, size - at));
    auto read = [&] { return disk::pread_exactly(file.fd.get(), part, at); };
    CO_CHECK_OK(from.noted(co_await from.pool().run(std::move(read))));
    if (size <= kSmallBytes) {
      body.rest = part;
      co_return Status{};
    }
    auto add = [&] { return body.add(to, part, Durability::kData); };
    CO_CHECK_OK(to.noted(co_await to.pool().run(std::move(add))));
  }
  co_return Status{};
}

Task<Status> copy_object(Engine& engine,
                         Key key,
                         IndexRecord record,
                         std::optional<IndexRecord> there,
                         Mountpath& from,
                         Mountpath& to,
                         Durability level) {
  const std::string dir = dir_of(key.name.bucket);
  auto open = [&] { return open_object_file(from, dir, path_of(dir, key.key(), record.escaped)); };
  CO_TRY(const auto file, from.noted(co_await from.pool().run(std::move(open))));
  const ExpectedChecksums none;
  Body body(false, none);
  const auto buffer = std::make_unique_for_overwrite<std::byte[]>(kHashBlockBytes);
  CO_CHECK_OK(co_await copy_body(*file, from, to, body, buffer.get()));
  PutMutation put(engine, to, key, body, there);
  put.meta = file->meta;
  put.meta.bucket = key.bucket;
  put.meta.key = key.key();  // of a kept version the file tells its first name
  put.expected_root = file->meta.hashes.root;
  set_barriers(put, level, there ? std::optional(level_to_keep(to, *there)) : std::nullopt);
  put.flush_soon = level == Durability::kNone;
  co_return co_await to.committer().run(put);
}

}  // namespace

Task<Status> copy_state(Engine& engine,
                        Key key,
                        IndexRecord record,
                        std::optional<IndexRecord> there,
                        Mountpath& from,
                        Mountpath& to,
                        Durability level) {
  if (there && !there->visible() && record.visible()) there.reset();
  switch (record.kind) {
    case IndexRecord::Kind::kTombstone:
      co_return co_await bury(engine, to, key, std::move(there), record.info.meta_version, level);
    case IndexRecord::Kind::kReference: {
      StoredMeta meta{.bucket = key.bucket,
                      .key = key.key(),
                      .info = std::move(record.info),
                      .level = record.level,
                      .reference = std::move(record.reference)};
      meta.hashes.root = record.root_hash;
      co_return co_await publish_reference(engine, to, key, std::move(meta), std::move(there),
                                           level);
    }
    case IndexRecord::Kind::kObject:
      break;
  }
  co_return co_await copy_object(engine, std::move(key), std::move(record), std::move(there), from,
                                 to, level);
}

Task<Status> leave(Engine& engine, Mountpath& from, Key key, IndexRecord record, Leave how) {
  ForgetMutation forget(engine, from, key, record);
  forget.content = RemovedContent::kKeep;
  forget.barrier_after = how == Leave::kDurably;
  co_return co_await from.committer().run(forget);
}

Result<std::vector<std::string>> kept_on(const Mountpath& mountpath, const Key& plain) {
  std::vector<std::string> keys;
  for (const bool tombstones : {false, true}) {
    ScanOptions options{.prefix = version_key(plain.key(), ""),
                        .limit = kPage,
                        .tombstones = tombstones,
                        .summary = true,
                        .versions = true};
    for (bool more = true; more;) {
      TRY(const ScanPage page, mountpath.index().scan(plain.bucket, options));
      for (const ScanEntry& entry : page.entries) keys.push_back(entry.key);
      more = page.more;
      options.after = page.next;
    }
  }
  return std::vector<std::string>(keys.rbegin(), keys.rend());
}

Key sibling_of(const Key& key, std::string text) {
  Key other = key;
  other.name.key = std::move(text);
  other.versioning = Versioning::kOff;
  return other;
}

}  // namespace aisfs::store
