// SPDX-License-Identifier: MIT
#pragma once
#include "node/store/engine.h"

namespace aisfs::store {

/// A rename between two names of this node; both locks are held. Its references outlive the task.
struct Renamer {
  Task<Result<ObjectInfo>> run();

  Engine& engine;
  const Key& from;
  const Key& to;
  const RenameOptions& options;
  const Durability level;

  Task<Result<ObjectInfo>> in_place(IndexRecord source,
                                    std::optional<IndexRecord> base,
                                    Version version);
  Task<Result<ObjectInfo>> by_reference(IndexRecord source,
                                        std::optional<IndexRecord> base,
                                        Version version);
  Versioning id_of_renamed() const;

  bool base_is_kept = false;
};

/// Brings a rename between two mountpaths to its end, with the locks of both names or before
/// anybody else is there. False: nobody can tell yet.
Result<bool> finish_rename(Engine& engine, const RenameIntentRecord& intent);

/// Those that nobody knew the end of, as far as it is known now.
Task<void> settle_renames(Engine& engine);

/// Tombstone, file, index: the name is gone, its content is left alone. Blocks.
Status forget_name(Mountpath& mp, const Key& key, const IndexRecord& source, Version version);

/// The key becomes a reference (`meta`), over what lies `at` that mountpath. The lock is held.
Task<Status> publish_reference(Engine& engine,
                               Mountpath& at,
                               const Key& key,
                               StoredMeta meta,
                               std::optional<IndexRecord> base,
                               Durability level);

}  // namespace aisfs::store
