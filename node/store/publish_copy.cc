// SPDX-License-Identifier: MIT
// Copies of other targets' objects.
#include "node/store/disk_copies.h"
#include "node/store/put.h"
#include "node/store/resilver.h"
#include "node/store/scrub.h"

namespace aisfs::store {
namespace {

bool may_replace(const std::optional<IndexRecord>& base, const ObjectInfo& copy, Adopt what) {
  if (what == Adopt::kOlder) return !base || base->info.meta_version < copy.meta_version;
  return base && base->kind == IndexRecord::Kind::kObject &&
         base->info.meta_version == copy.meta_version &&
         base->info.content_version == copy.content_version;
}

Task<Status> set_aside_at(Engine& engine, Mountpath& mountpath, Key key, IndexRecord bad) {
  const auto held = engine.mounts.hold(mountpath);
  if (!held) co_return Error(Errc::not_ready, "the mountpath of " + key.display() + " has gone");
  auto set = [&held, &key, &bad] { return set_aside(*held, key, bad); };
  co_return co_await held->pool().run(std::move(set));
}

}  // namespace

Task<Result<bool>> publish_copy(Engine& engine, Key key, StoredMeta meta, Body& body, Adopt what) {
  key.versioning = Versioning::kOff;  // what is kept of the name comes by itself
  const auto guard = co_await engine.lock_in_place(key);
  if (!engine.mounts.now().settled) {
    const Status brought = co_await bring_to_place(engine, key);
    if (!brought && what != Adopt::kDamaged) co_return brought.error();
  }
  Mountpath& place = engine.mountpath_of(key);
  CO_CHECK_OK(co_await bring_body(body, place));
  CO_TRY(const auto now, engine.find_anywhere(key));
  if (!may_replace(now.record, meta.info, what)) {
    CO_CHECK_OK(co_await level_copies(engine, key, Version()));
    co_return false;
  }
  // A damaged file does not come to its name's place; the good one is written there.
  const bool is_elsewhere = what == Adopt::kDamaged && now.mountpath != &place;
  if (is_elsewhere) CO_CHECK_OK(co_await set_aside_at(engine, *now.mountpath, key, *now.record));
  CO_TRY(auto base, place.index().get(key.bucket, key.key()));
  if (base && !base->visible()) base.reset();
  PutMutation put(engine, key, body, base);
  if (meta.hashes.root != 0) put.expected_root = meta.hashes.root;
  put.base_is_bad = what == Adopt::kDamaged;
  if (put.base_is_bad) put.expected_root = now.record->root_hash;  // whatever the other one says
  const Durability level = is_elsewhere ? Durability::kFull : meta.level;
  const Version version = meta.info.meta_version;
  put.meta = std::move(meta);
  put.meta.bucket = key.bucket;
  put.meta.key = key.key();
  put.meta.reference.reset();
  set_barriers(put, level, base ? std::optional(base->level) : std::nullopt);
  CO_CHECK_OK(co_await put.mp.committer().run(put));
  if (is_elsewhere) CO_CHECK_OK(co_await forget_elsewhere(engine, key));
  CO_CHECK_OK(co_await level_copies(engine, key, version));
  co_return true;
}

}  // namespace aisfs::store
