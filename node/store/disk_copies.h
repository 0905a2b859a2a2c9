// SPDX-License-Identifier: MIT
// Buckets whose names lie on several mountpaths of the target.
//
// The first of a name's places answers for it; the next ones in the order of their weights have
// copies, which are names there like all others. So when the first is lost, the next one is the
// name's place, and has it already. Copies are made with every change, before it is acknowledged,
// and by the resilver after a change of the mountpaths.
#pragma once
#include "node/store/copy_state.h"

namespace aisfs::store {

/// The newest state that any of the key's places has of it comes to the others. The lock is held.
/// Without room on the disk of a copy, or when what is to be copied is damaged, there is none until
/// the resilver has made it, which begins then. Nothing in buckets that lie on one mountpath.
/// not_ready when what is there is older than `at_least`: it has gone with a disk.
Task<Status> level_copies(Engine& engine, const Key& key, Version at_least);

/// A copy that is damaged goes to %bad, and is made again of the others. The lock is held.
Task<Status> make_copy_again(Engine& engine, const Key& key, Mountpath& at, IndexRecord bad);

/// The places of the key's copies forget it, before its first place does. The lock is held.
Task<Status> forget_copies(Engine& engine, const Key& key);

/// What any mountpath has of the key and its versions comes to its places, durably, and goes from
/// all others. The lock is held. kDurably is for who is about to change the name: a copy that there
/// is no room for is done without.
Task<Status> spread(Engine& engine, const Key& plain, Leave how);

/// Whether the resilver has something to do for a name that it has found on that mountpath.
bool is_misplaced(const MountpathSet& set, const Mountpath& mountpath, const Key& key);

}  // namespace aisfs::store
