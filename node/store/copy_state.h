// SPDX-License-Identifier: MIT
// What one mountpath of a target has of a name gets to another one.
#pragma once
#include "node/store/engine.h"

namespace aisfs::store {

/// How durable it is that a copy has gone from where it does not belong.
enum class Leave : std::uint8_t { kSoon, kDurably };

/// `record`, which `from` has of the key, replaces `there`, the older one that `to` has if any. The
/// lock is held. no_space, corrupt: nothing has changed.
Task<Status> copy_state(Engine& engine,
                        Key key,
                        IndexRecord record,
                        std::optional<IndexRecord> there,
                        Mountpath& from,
                        Mountpath& to,
                        Durability level);

/// The same for attributes: `to` has the very content, with older ones.
Task<Status> copy_attrs(Engine& engine,
                        Key key,
                        IndexRecord record,
                        IndexRecord there,
                        Mountpath& from,
                        Mountpath& to,
                        Durability level);

/// `from` forgets what it has of the key, and leaves alone what that refers to. The lock is held.
Task<Status> leave(Engine& engine, Mountpath& from, Key key, IndexRecord record, Leave how);

/// The keys of what is kept of one, on one mountpath, oldest first: at no time the current version
/// is anywhere without those before it.
Result<std::vector<std::string>> kept_on(const Mountpath& mountpath, const Key& plain);

/// Another key of the same place; its changes keep nothing.
Key sibling_of(const Key& key, std::string text);

}  // namespace aisfs::store
