// SPDX-License-Identifier: MIT
// How the mount learns what the cluster has under a name.
#pragma once
#include "aisfs/ops/mount_state.h"

namespace aisfs::ops {

/// The inode of `name`, seen now. not_found when there is nothing.
Task<Result<fs::InodePtr>> see_child(Mount& mount,
                                     Call call,
                                     fs::InodePtr parent,
                                     std::string name);

/// Whether what is known of the inode holds for this thread without asking the cluster: nobody else
/// can know better, it is leased, or the thread has just seen it.
bool is_settled(const Mount& mount, std::int32_t thread, const fs::Inode& inode);

/// Sees an inode again where its attributes can have changed elsewhere. not_found when its name is
/// gone, precondition_failed (ESTALE) when it stands for another object now.
Task<Status> see_again(Mount& mount, Call call, fs::InodePtr inode);

/// The directory that something is to be made in, seen again: not_found when it was removed or
/// replaced elsewhere.
Task<Status> see_parent(Mount& mount, Call call, fs::InodePtr directory);

/// Whether the caller itself has just looked this name up in vain (Options::same_call): what the
/// kernel does before it creates anything.
bool just_missed(const Mount& mount,
                 const Call& call,
                 const fs::Inode& parent,
                 std::string_view name);
/// Whether the thread itself has just seen this inode (Options::same_call). Never where leases tell
/// more.
bool just_seen(const Mount& mount, std::int32_t thread, const fs::Inode& inode);
void mark_seen(Mount& mount, const Call& call, const fs::Inode& inode);

/// Notes for later mounts what a listing said of a file.
void remember_listed(const Mount& mount, const fs::Place& place, const ObjectInfo& info);

/// Puts what a request has answered into the inode. Times of a touched directory stay.
void take_file(const Mount& mount, fs::Inode& inode, const ObjectInfo& info);
void take_directory(const Mount& mount,
                    fs::Inode& inode,
                    const ObjectInfo* marker,
                    std::uint64_t ino);

/// Makes an implied directory explicit, so that it stays when it gets empty. No effect on others.
Task<Status> make_explicit(Mount& mount, Call call, fs::InodePtr directory);

}  // namespace aisfs::ops
