// SPDX-License-Identifier: MIT
#include "node/store/disk_health.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "common/base/hash.h"
#include "common/disk/posix.h"
#include "node/store/mountpath.h"

namespace aisfs::store {
namespace {

constexpr const char* kProbeFile = "%health";
constexpr std::size_t kProbeBytes = 4096;

std::int64_t steady_ns() {
  return std::chrono::steady_clock::now().time_since_epoch() / std::chrono::nanoseconds(1);
}

Status check_place(int root, const std::string& path) {
  struct stat now{}, ours{};
  if (::stat(path.c_str(), &now) != 0) return errno_error("its folder " + path + " is gone");
  if (::fstat(root, &ours) != 0) return errno_error("stat " + path);
  if (now.st_dev == ours.st_dev && now.st_ino == ours.st_ino) return {};
  return Error(Errc::io, "another folder or file system is at " + path + " now");
}

Status check_writable(int root) {
  struct statvfs fs{};
  if (::fstatvfs(root, &fs) != 0) return errno_error("statvfs");
  if ((fs.f_flag & ST_RDONLY) != 0) return Error(Errc::read_only, "its file system is read-only");
  return {};
}

/// Past the page cache: what is read is what the disk has.
Status write_and_read(int root) {
  TRY(const UniqueFd fd, disk::open_beneath(root, kProbeFile, O_CREAT | O_RDWR, 0600));
  const std::string bytes = random_bytes(kProbeBytes);
  CHECK_OK(disk::pwrite_all(fd.get(), as_bytes(bytes), 0));
  CHECK_OK(disk::sync_data(fd.get()));
  ::posix_fadvise(fd.get(), 0, kProbeBytes, POSIX_FADV_DONTNEED);
  std::string back(kProbeBytes, '\0');
  CHECK_OK(disk::pread_exactly(fd.get(), std::as_writable_bytes(std::span(back)), 0));
  return back == bytes ? Status() : Error(Errc::io, "it gives back other bytes than were written");
}

}  // namespace

bool is_disk_error(const Error& error) {
  return error.code() == Errc::io || error.code() == Errc::read_only;
}

Status probe_disk(int root, const std::string& path, const std::string& uuid) {
  CHECK_OK(check_place(root, path));
  TRY(const std::string found, mountpath_uuid(root));
  if (found != uuid) return Error(Errc::io, "its %id is another mountpath's");
  CHECK_OK(check_writable(root));
  Status done = write_and_read(root);
  const bool busy = !done && (done.error() == Errc::no_space || done.error() == Errc::overloaded);
  return busy ? Status() : done;
}

DiskHealth::DiskHealth(Options options) : options_(std::move(options)) {
  thread_ = std::thread([this] { loop(); });
}

DiskHealth::~DiskHealth() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

void DiskHealth::suspect() {
  {
    const std::lock_guard lock(mutex_);
    suspected_ = true;
  }
  wake_.notify_all();
}

bool DiskHealth::is_stuck() const {
  const std::int64_t began = began_.load();
  return began != 0 && steady_ns() - began > kSlow.count();
}

void DiskHealth::loop() {
  std::unique_lock lock(mutex_);
  while (!stop_) {
    wake_.wait_for(lock, kEvery, [this] { return stop_ || suspected_; });
    if (stop_) return;
    suspected_ = false;
    lock.unlock();
    began_ = steady_ns();
    const Status fine = probe_disk(options_.root, options_.path, options_.uuid);
    began_ = 0;
    if (!fine) return options_.on_failed(fine.error());
    lock.lock();
  }
}

}  // namespace aisfs::store
