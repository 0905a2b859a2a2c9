// SPDX-License-Identifier: MIT
#include "aisfs/fs/names.h"
#include "aisfs/ops/lost_answers.h"
#include "aisfs/ops/observe.h"
#include "aisfs/ops/open_file.h"
#include "aisfs/ops/ops.h"
#include "aisfs/ops/promises.h"
#include "common/base/defer.h"
#include "common/obs/log.h"

namespace aisfs::ops {
namespace {

struct Ends {
  fs::InodePtr old_dir, new_dir;
  fs::InodePtr source, target;  // target: null when none is known
  bool is_free = false;         // nothing has the new name, in the cluster either
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
  CO_CHECK_OK(co_await name_left(mount, call, request.new_parent, request.new_name));
  CO_CHECK_OK(co_await arrive(mount, call, ends.new_dir));
  if (ends.source->is_directory()) CO_CHECK_OK(co_await settle_attrs(mount, call, ends.source));
  if (ends.target) CO_CHECK_OK(co_await settle(mount, call, ends.target));
  ends.is_free = mount.delegations.is_free(*ends.new_dir, request.new_name);
  mount.delegations.will_make(*ends.new_dir, request.new_name);
  co_return ends;
}

/// Attributes that the cluster does not have yet go along.
Task<Status> send_rename(Mount& mount, Call call, Ends ends, bool no_replace) {
  RenameOptions options{.no_replace = no_replace, .has_parent = true};
  fs::Inode& source = *ends.source;
  const bool attrs = std::exchange(source.attrs_unsent, false);
  if (attrs) options.posix = fs::posix_of(source.attr, source.symlink ? *source.symlink : "");
  const std::uint64_t as_of = source.changed_at;
  auto info = co_await mount.cluster.objects.rename(call.context(), ends.from.file(),
                                                    ends.to.file(), std::move(options));
  if (!info) {
    if (attrs) mount.delegations.defer(ends.source);
    co_return std::move(info).error();
  }
  if (source.open) source.open->base.meta_version = info->meta_version;
  const bool local = source.changed_at != as_of || (source.open && source.open->is_dirty());
  if (local) co_return Status();
  const bool known = source.info != nullptr;
  take_file(mount, source, *info);
  if (known) source.info = std::make_shared<const ObjectInfo>(*std::move(info));
  co_return Status();
}

/// Done in an attempt whose answer was lost.
Task<bool> has_arrived(Mount& mount, Call call, Ends ends) {
  const Conditions same{.if_ino = ends.source->attr.ino};
  ObjectName name = ends.source->is_directory() ? ends.to.marker() : ends.to.file();
  const auto there = co_await mount.cluster.objects.head(call.context(), std::move(name), same);
  co_return there.ok();
}

/// What `sent` says, unless the source is gone because an earlier attempt has moved it.
Task<Status> or_arrived(Mount& mount, Call call, Ends ends, Task<Status> sending) {
  Status sent = co_await std::move(sending);
  if (sent || sent.error() != Errc::not_found) co_return sent;
  const bool arrived = co_await has_arrived(mount, std::move(call), std::move(ends));
  if (arrived) co_return Status();
  co_return sent;
}

Task<Status> rename_file(Mount& mount, Call call, Ends ends, bool no_replace) {
  if (ends.target && ends.target->is_directory()) {
    co_return Error(Errc::is_directory, ends.to.path);
  }
  const auto replaced = ends.target == ends.source || !ends.target ? nullptr : ends.target->open;
  std::optional<Limiter::Permit> permit;
  if (replaced) {
    permit.emplace(co_await replaced->turn.acquire());
    CO_CHECK_OK(co_await bring_all(mount, call, ends.target));
  }
  CO_CHECK_OK(co_await arrive(mount, call, ends.source));
  const Sending sending(mount, ends.source);
  const auto send = [&](bool again) {
    auto sending = send_rename(mount, call, ends, no_replace);
    return again ? or_arrived(mount, call, ends, std::move(sending)) : std::move(sending);
  };
  CO_CHECK_OK(co_await until_answered(call, send));
  if (replaced) replaced->unlinked = true;
  co_return Status();
}

/// The names below it are to be known everywhere.
Task<Status> rename_directory(Mount& mount, Call call, Ends ends, bool no_replace) {
  mount.delegations.give_up_all();
  co_await mount.delegations.settled(*call.deadline);
  const auto send = [&](bool again) {
    auto sending = mount.cluster.objects.rename_dir(call.context(), ends.from.bucket,
                                                    ends.from.path, ends.to.path, no_replace);
    return again ? or_arrived(mount, call, ends, std::move(sending)) : std::move(sending);
  };
  co_return co_await until_answered(call, send);
}

/// By what the new name is believed.
struct Leased {
  std::uint64_t before = 0;  // Mount::sequence when it began
  fs::Lease lease;
};

/// What this mount knows of the names from now on.
void move_inode(Mount& mount, const Ends& ends, const std::string& name, const Leased& leased) {
  const bool crossed = ends.new_dir->revoked_at > leased.before;
  mount.inodes.move(ends.source, ends.new_dir, name);
  ends.source->lease = crossed || ends.source->is_directory() ? fs::Lease{} : leased.lease;
  // The kernel believes of the new name what it believed of the old one.
  if (!mount.leases.holds(ends.source->lease)) mount.leases.forget_names();
  mount.changed(*ends.source);
  ends.source->attr.ctime_ns = fs::now_ns();
  mount.touch(*ends.old_dir);
  mount.touch(*ends.new_dir);
}

/// Whether rename(2) may be answered when its request is on its way (promises.h).
bool may_promise(const Mount& mount, const Ends& ends) {
  if (!mount.delegations.is_sole(*ends.source)) return false;
  const auto& file = ends.source->open;
  if (file && file->is_dirty() && !file->promised) return false;
  const fs::Lease from = mount.delegations.lease_in(*ends.old_dir);
  const fs::Lease to = mount.delegations.lease_in(*ends.new_dir);
  if (from.term == 0 || from.term != to.term || ends.source->is_directory()) return false;
  const auto& target = ends.target;
  if (target && (target == ends.source || target->is_directory() || target->open)) return false;
  return may_answer_ahead(mount, ends.to);
}

/// What close(2) promised of it arrives first.
Task<Status> send_once(Mount& mount, Call call, Ends ends) {
  CO_CHECK_OK(co_await settle_content(mount, call, ends.source));
  const auto file = ends.source->open;
  std::optional<Limiter::Permit> permit;
  if (file) permit.emplace(co_await file->turn.acquire());
  co_return co_await or_arrived(mount, call, ends, send_rename(mount, call, ends, false));
}

/// The call has been answered: tries until the cluster has done it, or the mount ends.
Task<Status> send_promised(Mount& mount, Call call, Ends ends) {
  Status done = co_await send_once(mount, call, ends);
  if (done) co_return done;
  Retries retries(mount);
  while (!done) {
    const bool again = co_await retries.again(call, ends.source->name, done.error());
    if (!again) break;
    done = co_await send_once(mount, call, ends);
  }
  co_return done;
}

/// Answers the call when the request is on its way, or waits for that of a close. The names move
/// here at once: whoever needs the cluster to know waits (arrive, name_left).
Task<Status> rename_ahead(
    Mount& mount, Call call, Ends ends, RenameRequest request, Leased leased, Call::Answer answer) {
  co_await asio::this_coro::throw_if_cancelled(false);  // what is promised goes on
  const Sending sending(mount, ends.source);
  const Mount::Name old_name{ends.old_dir->nodeid, request.name};
  mount.leaving[old_name] = ends.source;
  const Defer left([&] { mount.leaving.erase(old_name); });
  const auto file = ends.source->open;
  if (file) file->left = ends.from.file();
  const Defer arrived([&] {
    if (file) file->left.reset();
    if (file) file->renamed = nullptr;
  });
  move_inode(mount, ends, request.new_name, leased);
  if (file && file->promised && !file->sent) {
    file->renamed = std::move(answer);
  } else {
    answer({});
  }
  Status done = co_await send_promised(mount, std::move(call), ends);
  if (done) co_return done;
  LOG_ERROR("a rename is lost", "from", ends.from.path, "to", ends.to.path, "why",
            done.error().what());
  mount.inodes.detach(ends.source);
  mount.leases.forget_names();
  co_return done;
}

/// Whether the bytes of the source wait for just this name (name_to_come).
bool awaits(const Mount& mount, const Ends& ends) {
  const auto& file = ends.source->open;
  return file && file->awaits_name && !ends.target && ends.is_free && !ends.old_dir->implied &&
         !ends.source->sending && may_promise(mount, ends);
}

/// Nobody but this mount has heard of the old name: the bytes are sent under the new one, and then
/// the call is answered.
Task<Status> give_name(
    Mount& mount, Call call, Ends ends, RenameRequest request, Leased leased, Call::Answer answer) {
  co_await asio::this_coro::throw_if_cancelled(false);  // what is promised goes on
  const auto file = ends.source->open;
  move_inode(mount, ends, request.new_name, leased);
  file->renamed = std::move(answer);
  const Defer late([&] { file->renamed = nullptr; });
  co_await end_wait_for_name(file);
  while (file->promised && !call.deadline->expired())
    co_await file->named.wait(file->named.count(), *call.deadline);
  if (!file->unsent) co_return Status();
  mount.leases.forget_names();
  if (file->promised) co_return Error(Errc::timed_out, ends.to.path + " is still on its way");
  mount.inodes.detach(ends.source);
  co_return Error(Errc::io, ends.to.path + " is lost (see the log)");
}

}  // namespace

/// An open file that is renamed keeps its dirty bytes and publishes them under the new name: its
/// turn is taken, so no publish under the old one is on its way.
Task<Status> rename(Mount& mount, Call call, RenameRequest request) {
  auto answer = call.take_answer();
  CO_TRY(const Ends ends, co_await find_ends(mount, call, request));
  Leased leased{.before = mount.sequence};
  const fs::Lease whole = mount.delegations.lease_in(*ends.new_dir);
  const bool sole = whole.term != 0 && mount.delegations.is_sole(*ends.source);
  leased.lease = sole ? whole : mount.leases.begin(ends.to);
  if (answer && !request.no_replace && awaits(mount, ends)) {
    co_return co_await give_name(mount, std::move(call), ends, std::move(request), leased,
                                 std::move(answer));
  }
  CO_CHECK_OK(co_await make_explicit(mount, call, ends.old_dir));
  if (ends.source->is_directory()) {
    CO_CHECK_OK(co_await rename_directory(mount, call, ends, request.no_replace));
  } else {
    if (ends.source->open) co_await end_wait_for_name(ends.source->open);
    CO_CHECK_OK(co_await arrive(mount, call, ends.source));
    if (answer && !request.no_replace && may_promise(mount, ends)) {
      co_return co_await rename_ahead(mount, std::move(call), ends, std::move(request), leased,
                                      std::move(answer));
    }
    CO_CHECK_OK(co_await settle_content(mount, call, ends.source));
    const auto file = ends.source->open;
    std::optional<Limiter::Permit> permit;
    if (file) permit.emplace(co_await file->turn.acquire());
    CO_CHECK_OK(co_await rename_file(mount, call, ends, request.no_replace));
  }
  move_inode(mount, ends, request.new_name, leased);
  co_return Status();
}

}  // namespace aisfs::ops
