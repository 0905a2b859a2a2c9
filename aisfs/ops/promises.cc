// SPDX-License-Identifier: MIT
#include "aisfs/ops/promises.h"

#include "aisfs/ops/open_file.h"
#include "common/obs/log.h"
#include "common/placement/hrw.h"

namespace aisfs::ops {
namespace {

constexpr Duration kRetryFirst = std::chrono::milliseconds(200);
constexpr Duration kRetryMax = std::chrono::seconds(10);
constexpr std::size_t kAheadMax = 64;

/// The name is gone, or not ours any more.
bool is_final(const Error& error) {
  switch (error.code()) {
    case Errc::not_found:
    case Errc::precondition_failed:
    case Errc::already_exists:
    case Errc::permission_denied:
    case Errc::invalid_argument:
      return true;
    default:
      return false;
  }
}

}  // namespace

bool may_answer_ahead(const Mount& mount, const fs::Place& place) {
  return mount.overdue == 0 && mount.promised + mount.sending.size() < kAheadMax &&
         close_level(mount, place) == Durability::kNone;
}

bool may_await_name(const fs::Inode& inode) {
  return inode.open->unsent && placement::is_rsync_temporary(inode.name);
}

Task<void> name_to_come(Mount& mount, std::shared_ptr<OpenFile> file) {
  const auto seen = file->named.count();
  file->awaits_name = true;
  co_await file->named.wait(seen, Deadline::after(mount.options.await_name));
  file->awaits_name = false;
  file->named.notify();
}

Task<void> end_wait_for_name(std::shared_ptr<OpenFile> file) {
  if (file->awaits_name) file->named.notify();
  while (file->awaits_name) co_await file->named.wait(file->named.count(), Deadline());
}

Sending::~Sending() {
  const fs::InodePtr inode = *at_;
  mount_.sending.erase(at_);
  inode->sending = false;
  mount_.arrived.notify();
  mount_.inodes.forget(inode->nodeid, 0);  // it may have been kept for this alone
}

Task<Status> arrive(Mount& mount, Call call, fs::InodePtr inode) {
  while (inode->sending) {
    const auto seen = mount.arrived.count();
    if (call.deadline->expired()) co_return Error(Errc::timed_out, "a change of " + inode->name);
    co_await mount.arrived.wait(seen, *call.deadline);
  }
  co_return Status();
}

Overtaking::Overtaking(fs::InodePtr directory)
    : directory_(std::move(directory)), early_(directory_ != nullptr && directory_->sending) {}

Task<Status> name_left(Mount& mount, Call call, std::uint64_t directory, std::string name) {
  if (mount.leaving.empty()) co_return Status();
  const auto it = mount.leaving.find({directory, std::move(name)});
  if (it == mount.leaving.end()) co_return Status();
  const fs::InodePtr inode = it->second;
  co_return co_await arrive(mount, std::move(call), inode);
}

Retries::Retries(Mount& mount) : mount_(mount), wait_(kRetryFirst) { ++mount_.overdue; }

Retries::~Retries() { --mount_.overdue; }

Task<bool> Retries::again(Call call, std::string name, Error why) {
  if (mount_.ending || is_final(why)) co_return false;
  LOG_WARN("not in the cluster yet", "name", name, "why", why.what());
  const Duration wait = std::exchange(wait_, std::min(2 * wait_, kRetryMax));
  *call.deadline = Deadline::after(wait + mount_.options.op_timeout);
  asio::steady_timer timer(mount_.shard, wait);
  co_await timer.async_wait(use_ec);
  co_return true;
}

}  // namespace aisfs::ops
