// SPDX-License-Identifier: MIT
#include "node/store/unreadable_files.h"

#include <chrono>

#include "common/disk/posix.h"
#include "common/obs/log.h"
#include "node/store/layout.h"

namespace aisfs::store {

void UnreadableFiles::add(BucketId bucket,
                          const std::string& dir,
                          const std::string& path,
                          const Error& why) {
  const std::string below = layout::objects_dir(dir) + "/";
  auto key = path.starts_with(below)
                 ? layout::key_of_plain(std::string_view(path).substr(below.size()))
                 : std::nullopt;
  if (key) lose({bucket, *std::move(key)});
  forget(path, why);
}

void UnreadableFiles::forget(const std::string& path, const Error& why) {
  const std::lock_guard lock(mutex_);
  files_.emplace_back(path, why);
}

void UnreadableFiles::lose(Name name) {
  const std::lock_guard lock(mutex_);
  lost_.push_back(std::move(name));
}

Status UnreadableFiles::lose_names() {
  const std::lock_guard lock(mutex_);
  if (lost_.empty()) return {};
  CHECK_OK(mp_.lost().add(lost_));
  for (const auto& [bucket, key] : lost_) mp_.index().erase(bucket, key);
  return {};
}

Result<std::uint64_t> UnreadableFiles::set_aside() {
  CHECK_OK(lose_names());
  const std::lock_guard lock(mutex_);
  const std::string now =
      std::to_string(std::chrono::system_clock::now().time_since_epoch().count());
  std::uint64_t done = 0;
  for (const auto& [path, why] : files_) {
    const std::string to = std::string(layout::kBadDir) + "/" + std::to_string(++done) + "-" + now;
    LOG_WARN("a file is set aside", "mountpath", mp_.path(), "path", path, "to", to, "why",
             why.what());
    if (Status st = disk::rename_beneath(mp_.root(), path, to); !st) {
      LOG_ERROR("and that failed", "why", st.error().what());
    }
  }
  return done;
}

}  // namespace aisfs::store
