// SPDX-License-Identifier: MIT
#include "aisfs/fs/names.h"
#include "aisfs/ops/lost_answers.h"
#include "aisfs/ops/make_object.h"
#include "aisfs/ops/observe.h"
#include "aisfs/ops/ops.h"
#include "aisfs/ops/promises.h"
#include "common/model/ino.h"
#include "common/obs/log.h"

namespace aisfs::ops {
namespace {

Task<Result<Entry>> make_bucket(Mount& mount, Call call, fs::InodePtr root, std::string name) {
  CO_CHECK_OK(fs::validate_component(name));
  CO_CHECK_OK(validate_bucket_name(name));
  BucketName bucket = native_bucket(name);
  BucketProps props{.copies = BucketProps::kAutoCopies};
  CO_CHECK_OK(co_await mount.cluster.admin.create_bucket(call.context(), std::move(bucket), props));
  CO_TRY(const fs::InodePtr inode, co_await see_child(mount, call, root, std::move(name)));
  mount.touch(*root);
  co_return entry_of(mount, inode);
}

/// `again`: what has the name may be an earlier attempt's work.
Task<Result<ObjectInfo>> make_at(
    Mount& mount, Context context, fs::Place place, MakeDirOptions options, bool again) {
  const Conditions same{.if_ino = options.ino};
  auto made = co_await mount.cluster.objects.make_dir(context, place.bucket, place.path,
                                                      std::move(options));
  if (!again || made || made.error() != Errc::already_exists) co_return made;
  context.sent = nullptr;
  auto ours = co_await mount.cluster.objects.head(std::move(context), place.marker(), same);
  if (ours) co_return ours;
  co_return made;
}

/// Makes it, in several attempts once the call is `answered`.
Task<Status> send(Mount& mount,
                  Call call,
                  fs::InodePtr parent,
                  fs::Place place,
                  MakeDirOptions options,
                  std::function<void()> sent,
                  const bool& answered) {
  std::optional<Retries> retries;
  Overtaking overtaking(parent);
  while (true) {
    Context context = call.context();
    context.sent = sent;
    auto made = co_await make_at(mount, std::move(context), place, options, true);
    if (made) co_return Status();
    if (overtaking.is_why(made.error())) {
      CO_CHECK_OK(co_await arrive(mount, call, parent));
      continue;
    }
    if (!answered) co_return std::move(made).error();
    if (!retries) retries.emplace(mount);
    if (!co_await retries->again(call, place.path, made.error())) co_return std::move(made).error();
  }
}

/// Answers the call when the request is on its way.
Task<Result<Entry>> mkdir_ahead(Mount& mount,
                                Call call,
                                fs::InodePtr parent,
                                fs::Place place,
                                MakeDirOptions options,
                                Call::Answer answer) {
  co_await asio::this_coro::throw_if_cancelled(false);  // what is promised goes on
  const std::string name = place.path.substr(place.path.rfind('/') + 1);
  const fs::Lease whole = mount.delegations.lease_in(*parent);
  options.ino = new_ino();
  const ObjectInfo marker{.ino = *options.ino, .posix = options.posix};
  const fs::InodePtr inode = mount.inodes.add(parent, name, fs::Kind::kDirectory);
  const Sending sending(mount, inode);
  inode->lease = whole;
  take_directory(mount, *inode, &marker, marker.ino);
  mount.changed(*inode);
  mount.touch(*parent);
  mount.delegations.will_make(*parent, name);
  mount.delegations.made(*inode, whole);
  mark_seen(mount, call, *inode);
  const Entry entry = entry_of(mount, inode);
  bool answered = false;
  auto sent = [&] {
    if (!std::exchange(answered, true)) answer(entry);
  };
  Status done =
      co_await send(mount, std::move(call), parent, place, std::move(options), sent, answered);
  if (done) co_return entry;
  LOG_WARN("a directory was not made", "path", place.path, "why", done.error().what());
  mount.inodes.detach(inode);
  mount.leases.forget_names();
  if (!answered) mount.inodes.forget(inode->nodeid, 1);  // the kernel has not heard of it
  co_return std::move(done).error();
}

}  // namespace

Task<Result<Entry>> mkdir(
    Mount& mount, Call call, NodeId parent, std::string name, std::uint32_t mode) {
  auto answer = call.take_answer();
  CO_TRY(const fs::InodePtr directory, inode_of(mount, parent));
  if (directory->kind == fs::Kind::kRoot) {
    co_return co_await make_bucket(mount, call, directory, std::move(name));
  }
  CO_CHECK_OK(fs::validate_component(name));
  CO_CHECK_OK(co_await see_parent(mount, call, directory));
  CO_TRY(fs::Place place, mount.inodes.place(*directory));
  place.path = fs::join(place.path, name);
  if (place.path.size() >= kKeyBytesMax)
    co_return Error(Errc::name_too_long, "path over 1024 bytes");
  CO_CHECK_OK(co_await name_left(mount, call, parent, name));
  PosixAttrs posix = new_posix(call, *directory, S_IFDIR | (mode & 07777));
  MakeDirOptions options{std::move(posix), just_missed(mount, call, *directory, name)};
  if (is_made_here(mount, *directory, name)) co_return Error(Errc::already_exists, place.path);
  if (answer && mount.delegations.is_free(*directory, name) && may_answer_ahead(mount, place)) {
    options.seen_free = true;
    co_return co_await mkdir_ahead(mount, std::move(call), directory, std::move(place),
                                   std::move(options), std::move(answer));
  }
  options.seen_free = options.seen_free || mount.delegations.is_free(*directory, name);
  CO_CHECK_OK(co_await arrive(mount, call, directory));
  mount.delegations.will_make(*directory, name);
  const std::uint64_t before = mount.sequence;
  const fs::Lease whole = mount.delegations.lease_in(*directory);
  const fs::Lease lease = whole.term != 0 ? whole : mount.leases.begin(place);
  options.ino = new_ino();
  const auto send = [&](bool again) {
    return make_at(mount, call.context(), place, options, again);
  };
  CO_TRY(const ObjectInfo marker, co_await until_answered(call, send));
  const bool crossed = directory->revoked_at > before;
  const fs::InodePtr inode = mount.inodes.add(directory, name, fs::Kind::kDirectory);
  if (!crossed) inode->lease = lease;
  take_directory(mount, *inode, &marker, marker.ino);
  mount.changed(*inode);
  mount.touch(*directory);
  mark_seen(mount, call, *inode);
  const Entry entry = entry_of(mount, inode);
  mount.delegations.made(*inode, whole);
  if (whole.term == 0) co_await mount.delegations.ask(call, inode);
  co_return entry;
}

}  // namespace aisfs::ops
