// SPDX-License-Identifier: MIT
// What mutations do with the version that they replace or remove, in a bucket with versioning.
//
// The file gets a second name, at the place of its kept key, before the first one is given to
// another file or removed. No order of what reaches the disk can lose it: with both names there is
// one version more than listings show. The second name is an object like any other, but for its
// metadata, which still tell the first key; recovery knows (`stands_for`).
#pragma once
#include "node/store/engine.h"

namespace aisfs::store {

/// Keeps `base`, the current version of the key, as key.versioning says; the lock is held. False
/// when nothing has to be kept: no versioning, a reservation, or a version without an id that one
/// without an id is about to replace. not_ready for a reference that has not become a plain object
/// yet.
Task<Result<bool>> keep_version(Engine& engine, Key key, std::optional<IndexRecord> base);

/// After a publish without an id: of those without an id there is one. `but` is left alone.
Task<Status> drop_null_versions(Engine& engine, Key key, Durability level, std::string but = {});

/// Gives what is published under a key with versioning its id, or takes away the one that it has.
void stamp_version(ObjectInfo& info, Versioning versioning, Version version);

/// True if a file with this metadata is what lies at the place of `key`.
bool stands_for(const StoredMeta& meta, std::string_view key);

/// The key is gone as of `version`; `there` is what lies `at` that mountpath. The lock is held
/// (change.cc).
Task<Status> bury(Engine& engine,
                  Mountpath& at,
                  const Key& key,
                  std::optional<IndexRecord> there,
                  Version version,
                  Durability level);

/// As Store::remove, for one who holds the lock and knows what is there (change.cc).
Task<Status> remove_locked(
    Engine& engine, Key key, IndexRecord base, Durability level, RemovedContent content);

}  // namespace aisfs::store
