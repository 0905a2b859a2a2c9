// SPDX-License-Identifier: MIT
#include "node/store/file_walk.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "common/disk/posix.h"

namespace aisfs::store {
namespace {

struct Listing {
  std::vector<std::string> files, folders;  // with the folder's path in front
};

Result<Listing> list_dir(int root, const std::string& dir) {
  auto fd = disk::open_beneath(root, dir, O_RDONLY | O_DIRECTORY);
  if (!fd) {
    if (fd.error().code() == Errc::not_found) return Listing{};
    return std::move(fd).error();
  }
  DIR* stream = ::fdopendir(fd->get());
  if (stream == nullptr) return errno_error("fdopendir " + dir);
  const int raw = fd->release();
  Listing out;
  while (const dirent* entry = ::readdir(stream)) {
    const std::string_view name = entry->d_name;
    if (name == "." || name == "..") continue;
    unsigned char type = entry->d_type;
    struct stat st {};
    if (type == DT_UNKNOWN && ::fstatat(raw, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
      type = S_ISDIR(st.st_mode) ? DT_DIR : S_ISREG(st.st_mode) ? DT_REG : DT_UNKNOWN;
    }
    if (type == DT_DIR) out.folders.push_back(dir + "/" + std::string(name));
    if (type == DT_REG) out.files.push_back(dir + "/" + std::string(name));
  }
  ::closedir(stream);
  return out;
}

/// Folders that wait for one of the threads.
class Walk {
 public:
  Walk(int root, const std::function<Status(const std::string&)>& visit)
      : root_(root), visit_(visit) {}

  Status run(const std::string& dir) {
    folders_.push_back(dir);
    std::vector<std::thread> threads;
    for (int i = 0; i < kThreads; ++i) threads.emplace_back([this] { work(); });
    for (auto& thread : threads) thread.join();
    return failed_ ? Status(*failed_) : Status();
  }

 private:
  static constexpr int kThreads = 4;  // cold folders wait for the disk, not for a core

  void work() {
    std::unique_lock lock(mutex_);
    while (true) {
      wake_.wait(lock, [this] { return failed_ || !folders_.empty() || busy_ == 0; });
      if (failed_ || folders_.empty()) break;
      const std::string dir = std::move(folders_.back());
      folders_.pop_back();
      ++busy_;
      lock.unlock();
      const Status done = one(dir);
      lock.lock();
      --busy_;
      if (!done && !failed_) failed_ = done.error();
      wake_.notify_all();
    }
    wake_.notify_all();
  }

  Status one(const std::string& dir) {
    TRY(Listing listing, list_dir(root_, dir));
    {
      std::lock_guard lock(mutex_);
      for (auto& folder : listing.folders) folders_.push_back(std::move(folder));
    }
    wake_.notify_all();
    for (const auto& file : listing.files) CHECK_OK(visit_(file));
    return {};
  }

  const int root_;
  const std::function<Status(const std::string&)>& visit_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<std::string> folders_;  // guarded by mutex_, as are the next two
  int busy_ = 0;
  std::optional<Error> failed_;
};

}  // namespace

Status walk_files(int root,
                  const std::string& dir,
                  const std::function<Status(const std::string&)>& visit) {
  return Walk(root, visit).run(dir);
}

Result<FolderNames> names_in(int root, const std::string& dir) {
  TRY(Listing listing, list_dir(root, dir));
  FolderNames names{std::move(listing.files), std::move(listing.folders)};
  for (std::vector<std::string>* all : {&names.files, &names.folders}) {
    for (std::string& name : *all) name.erase(0, dir.size() + 1);
    std::sort(all->begin(), all->end());
  }
  return names;
}

Result<std::uint64_t> remove_files_in(int root, const std::string& dir) {
  TRY(const Listing listing, list_dir(root, dir));
  for (const auto& file : listing.files) CHECK_OK(disk::unlink_beneath(root, file));
  return listing.files.size();
}

Status remove_tree(int root, const std::string& dir) {
  std::vector<std::string> to_do{dir}, folders;
  while (!to_do.empty()) {
    std::string folder = std::move(to_do.back());
    to_do.pop_back();
    TRY(Listing listing, list_dir(root, folder));
    for (const auto& file : listing.files) CHECK_OK(disk::unlink_beneath(root, file));
    for (auto& below : listing.folders) to_do.push_back(std::move(below));
    folders.push_back(std::move(folder));
  }
  for (auto it = folders.rbegin(); it != folders.rend(); ++it) {
    Status st = disk::rmdir_beneath(root, *it);
    if (!st && st.error().code() != Errc::not_found) return st;
  }
  return {};
}

}  // namespace aisfs::store
