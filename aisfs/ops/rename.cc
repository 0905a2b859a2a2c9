// SPDX-License-Identifier: MIT
#include "aisfs/fs/names.h"
#include "aisfs/ops/observe.h"
#include "aisfs/ops/open_file.h"
#include "aisfs/ops/ops.h"

namespace aisfs::ops {
namespace {

struct Ends {
  fs::InodePtr old_dir, new_dir;
  fs::InodePtr source, target;  // target: null when the name is free
  fs::Place from, to;
};

Task<Result<Ends>> find_ends(Mount& mount, Call call, RenameRequest request) {
  Ends ends;
  CO_TRY(ends.old_dir, inode_of(mount, request.parent));
  CO_TRY(ends.new_dir, inode_of(mount, request.new_parent));
  const bool at_root =
      ends.old_dir->kind == fs::Kind::kRoot || ends.new_dir->kind == fs::Kind::kRoot;
  if (at_root) co_return Error(Errc::cross_device, "buckets are not renamed");
  CO_CHECK_OK(fs::validate_component(request.new_name));
  CO_CHECK_OK(co_await see_parent(mount, call, ends.new_dir));
  CO_TRY(ends.from, mount.inodes.place(*ends.old_dir));
  CO_TRY(ends.to, mount.inodes.place(*ends.new_dir));
  if (ends.from.bucket != ends.to.bucket) co_return Error(Errc::cross_device, "another bucket");
  ends.from.path = fs::join(ends.from.path, request.name);
  ends.to.path = fs::join(ends.to.path, request.new_name);
  if (ends.to.path.size() > kKeyBytesMax) co_return Error(Errc::name_too_long, "over 1024 bytes");
  ends.source = mount.inodes.child(*ends.old_dir, request.name);
  if (!ends.source) {
    CO_TRY(ends.source, co_await see_child(mount, call, ends.old_dir, request.name));
  }
  ends.target = mount.inodes.child(*ends.new_dir, request.new_name);
  if (ends.target && request.no_replace) co_return Error(Errc::already_exists, request.new_name);
  CO_CHECK_OK(co_await settle(mount, call, ends.source));
  if (ends.target) CO_CHECK_OK(co_await settle(mount, call, ends.target));
  mount.delegations.will_make(*ends.new_dir, request.new_name);
  co_return ends;
}

Task<Status> rename_file(Mount& mount, Call call, Ends ends, bool no_replace) {
  if (ends.target && ends.target->is_directory()) {
    co_return Error(Errc::is_directory, ends.to.path);
  }
  const auto replaced = ends.target == ends.source || !ends.target ? nullptr : ends.target->open;
  if (replaced) {
    const auto permit = co_await replaced->turn.acquire();
    CO_CHECK_OK(co_await bring_all(mount, call, ends.target));
  }
  RenameOptions options{.no_replace = no_replace, .has_parent = true};
  auto info = co_await mount.cluster.objects.rename(call.context(), ends.from.file(),
                                                    ends.to.file(), std::move(options));
  if (!info) co_return std::move(info).error();
  if (replaced) replaced->unlinked = true;
  if (ends.source->open) {
    ends.source->open->base.meta_version = info->meta_version;
  }
  const bool local = ends.source->open && ends.source->open->is_dirty();
  if (!local) take_file(mount, *ends.source, *info);
  co_return Status();
}

/// The names below it are to be known everywhere.
Task<Status> rename_directory(Mount& mount, Call call, Ends ends, bool no_replace) {
  mount.delegations.give_up_all();
  co_await mount.delegations.settled(*call.deadline);
  co_return co_await mount.cluster.objects.rename_dir(call.context(), ends.from.bucket,
                                                      ends.from.path, ends.to.path, no_replace);
}

}  // namespace

/// An open file that is renamed keeps its dirty bytes and publishes them under the new name: its
/// turn is taken, so no publish under the old one is on its way.
Task<Status> rename(Mount& mount, Call call, RenameRequest request) {
  CO_TRY(const Ends ends, co_await find_ends(mount, call, request));
  const std::uint64_t before = mount.sequence;
  const fs::Lease whole = mount.delegations.lease_in(*ends.new_dir);
  const bool sole = whole.term != 0 && mount.delegations.is_sole(*ends.source);
  const fs::Lease lease = sole ? whole : mount.leases.begin(ends.to);
  CO_CHECK_OK(co_await make_explicit(mount, call, ends.old_dir));
  if (ends.source->is_directory()) {
    CO_CHECK_OK(co_await rename_directory(mount, call, ends, request.no_replace));
  } else {
    const auto file = ends.source->open;
    std::optional<Limiter::Permit> permit;
    if (file) permit.emplace(co_await file->turn.acquire());
    CO_CHECK_OK(co_await rename_file(mount, call, ends, request.no_replace));
  }
  const bool crossed = ends.new_dir->revoked_at > before;
  mount.inodes.move(ends.source, ends.new_dir, request.new_name);
  ends.source->lease = crossed || ends.source->is_directory() ? fs::Lease{} : lease;
  // The kernel believes of the new name what it believed of the old one.
  if (!mount.leases.holds(ends.source->lease)) mount.leases.forget_names();
  mount.changed(*ends.source);
  ends.source->attr.ctime_ns = fs::now_ns();
  mount.touch(*ends.old_dir);
  mount.touch(*ends.new_dir);
  co_return Status();
}

}  // namespace aisfs::ops
