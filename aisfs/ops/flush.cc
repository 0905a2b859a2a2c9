// SPDX-License-Identifier: MIT
// flush, fsync and release: the ways in which dirty bytes reach the cluster.
#include <fcntl.h>

#include "aisfs/ops/open_file.h"
#include "aisfs/ops/ops.h"
#include "aisfs/ops/promises.h"
#include "common/base/defer.h"
#include "common/obs/log.h"

namespace aisfs::ops {
namespace {

constexpr std::uint64_t kPromisedBytesMax = 256_KiB;  // what a socket takes at once

Task<Status> publish_at_close(Mount& mount, Call call, fs::InodePtr inode) {
  const auto place = mount.inodes.place(*inode);
  const Durability level = place ? close_level(mount, *place) : Durability::kFull;
  co_return co_await publish(mount, std::move(call), inode, level);
}

/// Whether close(2) may be answered when its request is on its way (promises.h).
bool may_promise(const Mount& mount, const fs::Inode& inode) {
  const OpenFile& file = *inode.open;
  if (!file.content_dirty || file.size == 0 || file.size > kPromisedBytesMax) return false;
  const auto place = mount.inodes.place(inode);
  return place && mount.delegations.is_sole(inode) && may_answer_ahead(mount, *place);
}

/// The call has been answered: tries until it is in the cluster, or the mount ends. Gives `turn`
/// away in between, so whoever else publishes the file keeps the promise too.
Task<Status> keep_promise(Mount& mount,
                          Call call,
                          fs::InodePtr inode,
                          std::optional<Limiter::Permit>& turn,
                          Status done) {
  const auto file = inode->open;
  Retries retries(mount);
  while (!done) {
    turn.reset();
    const bool again = co_await retries.again(call, inode->name, done.error());
    turn.emplace(co_await file->turn.acquire());
    if (!again) break;
    done = co_await publish_at_close(mount, call, inode);
  }
  co_return done;
}

/// publish_at_close() that answers the call when its bytes are on their way.
Task<Status> promise(
    Mount& mount, Call call, fs::InodePtr inode, Limiter::Permit permit, Call::Answer answer) {
  co_await asio::this_coro::throw_if_cancelled(false);  // what is promised goes on
  const auto file = inode->open;
  ++file->handles;  // one of its own, until the promise is kept
  const HandleId own = ++mount.last_handle;
  mount.files[own] = FileHandle{inode, file, O_WRONLY};
  ++mount.promised;
  const Defer end([&] { --mount.promised; });
  const auto make_promise = [&] {
    file->promised = true;
    answer({});
  };
  file->sent = false;
  if (may_await_name(*inode)) {
    make_promise();
    co_await name_to_come(mount, file);
  }
  Call promising = call;
  promising.answer = [&](const Entry&) {
    file->sent = true;
    if (auto renamed = std::exchange(file->renamed, nullptr)) renamed({});
    if (file->promised || !mount.delegations.is_sole(*inode)) return;  // given up meanwhile
    make_promise();
  };
  std::optional<Limiter::Permit> turn(std::move(permit));
  Status done = co_await publish_at_close(mount, promising, inode);
  if (!done && file->promised) {
    done = co_await keep_promise(mount, promising, inode, turn, std::move(done));
  }
  file->promised = false;
  file->named.notify();
  turn.reset();
  if (done || !mount.ending) (void)co_await release(mount, std::move(call), own);
  co_return done;
}

}  // namespace

Task<Status> flush(Mount& mount, Call call, HandleId handle) {
  CO_TRY(const FileHandle file, handle_of(mount, handle));
  if (!file.file->is_dirty() || (file.flags & O_ACCMODE) == O_RDONLY) co_return Status();
  auto permit = co_await file.file->turn.acquire();
  auto answer = call.take_answer();
  if (answer && may_promise(mount, *file.inode)) {
    co_return co_await promise(mount, std::move(call), file.inode, std::move(permit),
                               std::move(answer));
  }
  co_return co_await publish_at_close(mount, std::move(call), file.inode);
}

Task<Status> fsync(Mount& mount, Call call, HandleId handle) {
  CO_TRY(const FileHandle file, handle_of(mount, handle));
  co_await end_wait_for_name(file.file);
  const auto permit = co_await file.file->turn.acquire();
  if (file.file->is_dirty() || file.file->unlinked || !file.inode->has_name()) {
    co_return co_await publish(mount, std::move(call), file.inode, Durability::kFull);
  }
  CO_CHECK_OK(co_await settle_attrs(mount, call, file.inode));
  // Published at close or by another host, perhaps at a lower level.
  CO_TRY(const fs::Place place, mount.inodes.place(*file.inode));
  ObjectName name = place.file();
  co_return co_await mount.cluster.objects.sync(call.context(), std::move(name));
}

Task<Status> release(Mount& mount, Call call, HandleId handle) {
  CO_TRY(const FileHandle file, handle_of(mount, handle));
  mount.files.erase(handle);
  Status done;
  if (file.file->handles == 1) {
    const auto permit = co_await file.file->turn.acquire();
    if (file.file->handles == 1)
      done = co_await publish_at_close(mount, std::move(call), file.inode);
  }
  if (!done) {
    LOG_ERROR("data of a closed file is lost", "name", file.inode->name, "why",
              done.error().what());
  }
  if (--file.file->handles == 0 && file.inode->open == file.file) {
    if (done && mount.leases.holds(file.inode->lease)) {
      mount.keep_info(file.inode, std::move(file.file->base));
    }
    file.inode->open.reset();
    mount.inodes.forget(file.inode->nodeid, 0);  // it may have been kept by the handle alone
  }
  co_return done;
}

}  // namespace aisfs::ops
